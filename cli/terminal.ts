import stringWidth from 'string-width';
import { colorsOf } from './colors';
import { WIDEST, type Look } from './render/look';

/** Standard output or standard error, which are terminals or not. */
export type Out = NodeJS.WriteStream;

/** Columns of what is no terminal: a log, a pipe. */
const PIPE_WIDTH = 100;

/** Whether what was written to `out` can be drawn over. */
export function canRedraw(out: Out): boolean {
  return out.isTTY && process.env['TERM'] !== 'dumb';
}

/** How to draw on `out` at this moment: its present size, colours only on a terminal that has and wants them (NO_COLOR). */
export function lookOf(out: Out): Look {
  const width = Math.min(out.isTTY ? out.columns : PIPE_WIDTH, WIDEST);
  return { width, colors: colorsOf(out), now: Date.now() };
}

/** Writes lines. */
export function print(out: Out, lines: readonly string[]): void {
  if (lines.length > 0) out.write(`${lines.join('\n')}\n`);
}

const HIDE_CURSOR = '\x1b[?25l';
const SHOW_CURSOR = '\x1b[?25h';

/**
 * A part of the terminal that is drawn over in place. Unlike log-update it knows that a terminal made narrower
 * has broken the lines already there, and it never cuts a line, so that commands in it can be copied.
 */
export class Painting {
  private drawn: readonly string[] = [];

  constructor(private readonly out: Out) {
    out.write(HIDE_CURSOR);
  }

  /** Draws over what was drawn before. Where there are more lines than rows the last ones show. */
  draw(lines: readonly string[]): void {
    let first = 0;
    for (let rows = this.rowsOf(lines); rows >= this.out.rows && first < lines.length; first += 1) {
      rows -= this.rowsOf(lines.slice(first, first + 1));
    }
    const shown = lines.slice(first);
    this.out.write(`${this.erasure()}${shown.join('\n')}\n`);
    this.drawn = shown;
  }

  /** Takes the drawing away and gives the cursor back. */
  remove(): void {
    this.out.write(`${this.erasure()}${SHOW_CURSOR}`);
    this.drawn = [];
  }

  private erasure(): string {
    const up = this.rowsOf(this.drawn);
    return up === 0 ? '' : `\x1b[${up}A\r\x1b[J`;
  }

  /** How many rows the lines take at the terminal's present width. */
  private rowsOf(lines: readonly string[]): number {
    return lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(stringWidth(line) / this.out.columns)), 0);
  }
}
