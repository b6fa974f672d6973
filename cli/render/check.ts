import type { Problem } from '../../core/schema';
import type { Look } from './look';
import { counted, wrap } from './text';

/** What is wrong with an environment file, a problem a paragraph; or that nothing is. */
export function checkPage(file: string, found: readonly Problem[], { colors, width }: Look): string[] {
  if (found.length === 0) return [`${colors.green('✓')} ${file}: no problem found`];
  const problems = found.flatMap(({ path, message, example }) => [
    `${colors.red('✗')} ${colors.bold(path)}`,
    ...wrap(message, width - 4).map((line) => `    ${line}`),
    ...(example === undefined ? [] : [colors.dim(`    for example ${JSON.stringify(example)}`)]),
  ]);
  return [`${file}: ${counted(found.length, 'problem')}`, ...problems];
}
