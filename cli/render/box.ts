import type { Formatter } from 'picocolors/types';
import type { Look } from './look';
import { pad, wrap } from './text';

/** A labelled paragraph. */
export type Fact = readonly [label: string, text: string];

/** Room for text in a {@link box} as wide as the look. */
export function innerWidth({ width }: Look): number {
  return width - 4;
}

/** Lines, each at most {@link innerWidth} wide, in a frame with its title in the upper edge. */
export function box(title: string, lines: readonly string[], paint: Formatter, look: Look): string[] {
  const { width } = look;
  const edge = ` ${title} `;
  return [
    paint(`╭─${edge}${'─'.repeat(Math.max(0, width - 3 - edge.length))}╮`),
    ...lines.map((line) => `${paint('│')} ${pad(line, innerWidth(look))} ${paint('│')}`),
    paint(`╰${'─'.repeat(width - 2)}╯`),
  ];
}

/** Facts as lines of at most `width` columns, their texts aligned `label` columns from the left. */
export function factLines(facts: readonly Fact[], label: number, width: number, { colors }: Look): string[] {
  return facts.flatMap(([name, text]) =>
    wrap(text, width - label).map((line, i) => colors.dim(pad(i === 0 ? name : '', label)) + line),
  );
}
