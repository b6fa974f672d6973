import { join } from 'node:path';
import { down, up, type Sandbox, type Settings } from '../../sandbox';
import { exclusively } from '../../sandbox/ports';
import { HOME } from '../../sandbox/settings';

/** Apart from a person's sandbox (0) and those of the tests (from 100 on). */
export const BLOCK = 20;
/** Held by the benchmark at work: the next one would take its sandbox down. */
const LOCK = `127.${BLOCK}.0.9:9010`;

/** One line on standard error: how a benchmark goes. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Works while no other benchmark does. @throws PORT_TAKEN while one is at work */
export function alone<T>(work: () => Promise<T>): Promise<T> {
  return exclusively(LOCK, work, 'Another benchmark is at work');
}

/**
 * Brings a sandbox of the benchmarks' own up, works with it, and takes it down however that ends; what a killed
 * benchmark left is taken down first.
 * @throws PORT_TAKEN while another benchmark is at work, or where another sandbox is on its addresses
 */
export async function withSandbox<T>(
  settings: Partial<Settings>,
  work: (sandbox: Sandbox) => Promise<T>,
): Promise<T> {
  // The same nodes fail again and again: automation must not stop to ask why.
  const options = {
    dir: join(HOME, 'bench'),
    block: BLOCK,
    limits: false,
    database: false,
    backups: false,
    sentinel: false,
    dns: false,
    ...settings,
  };
  return alone(async () => {
    await down(options);
    try {
      return await work(await up(options));
    } finally {
      await down(options);
    }
  });
}
