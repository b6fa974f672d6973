import stringWidth from 'string-width';

/**
 * Breaks plain text at blanks, not at no-break spaces, into lines of at most `width` columns; a word that is longer is
 * cut. At least one line.
 */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/[ \t\n]+/).flatMap((whole) => cut(whole, width))) {
    const longer = line ? `${line} ${word}` : word;
    if (stringWidth(longer) <= width) {
      line = longer;
      continue;
    }
    lines.push(line);
    line = word;
  }
  return [...lines, line];
}

/** Plain text on one line of at most `width` columns; what is left out shows as `…`. */
export function clip(text: string, width: number): string {
  const flat = text.replaceAll(/\s+/g, ' ');
  if (stringWidth(flat) <= width) return flat;
  return `${cut(flat, width - 1)[0]}…`;
}

/** Text, painted or not, filled up with blanks to `width` columns. */
export function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - stringWidth(text)));
}

/** Text, painted or not, moved to the right end of `width` columns. */
export function padLeft(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - stringWidth(text))) + text;
}

function cut(word: string, width: number): string[] {
  if (stringWidth(word) <= width) return [word];
  const pieces: string[] = [];
  let piece = '';
  for (const character of word) {
    if (piece && stringWidth(piece + character) > width) {
      pieces.push(piece);
      piece = '';
    }
    piece += character;
  }
  return [...pieces, piece];
}

/** A number with its noun: `1 step`, `2 steps`. */
export function counted(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
