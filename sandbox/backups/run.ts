import { spawn } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';

/** How much of what a program says of its failure is told on, characters. */
const TOLD = 700;

/**
 * Runs a program as the owner of `home`, and ends it where this process is killed: what a killed one left at work would be beside the
 * next one.
 * @param tell each line that it prints, as it does
 * @returns what it printed
 * @throws Error with its own words where it fails
 */
export async function run(
  home: string,
  [program = '', ...args]: readonly string[],
  tell: (line: string) => void = () => undefined,
): Promise<string[]> {
  const { uid, gid } = await stat(home);
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', program, ...args], {
    cwd: home,
    ...(process.getuid?.() === 0 ? { uid, gid } : {}),
    env: { ...process.env, LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said: string[] = [];
  const hear = (line: string): void => {
    said.push(line);
    tell(line);
  };
  createInterface({ input: child.stderr }).on('line', hear);
  createInterface({ input: child.stdout }).on('line', hear);
  const [status] = await new Promise<[number | null]>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code: number | null) => resolve([code]));
  });
  if (status === 0) return said;
  throw new Error(troubleOf(said) || `${program} ended with status ${status}`);
}

/** What pgBackRest calls an error, else the last lines. */
function troubleOf(said: readonly string[]): string {
  const from = said.findIndex((line) => line.includes('ERROR: ['));
  const lines = from < 0 ? said.slice(-5) : said.slice(from, from + 6);
  const words = lines
    .map((line) => line.replace(/^\S+ \S+ (?=P\d\d)/, '').trim())
    .filter((line) => !line.includes(' INFO: '));
  return words.join(' ').replaceAll(/\s+/g, ' ').slice(0, TOLD);
}
