import { cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { down, up, type Sandbox, type Settings } from '../../sandbox';
import { exclusively } from '../../sandbox/ports';
import { HOME } from '../../sandbox/settings';

/** Apart from a person's sandbox (0) and those of the tests (from 100 on). */
export const BLOCK = 20;
/** Held by the benchmark at work: the next one would take its sandbox down. */
const LOCK = `127.${BLOCK}.0.9:9010`;

/** A sandbox at rest uses less of the machine's time. */
const QUIET = 0.5;
/** After this it is measured all the same, ms. */
const SETTLES_MS = 60_000;

/** One line on standard error: how a benchmark goes. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Works while no other benchmark does. @throws PORT_TAKEN while one is at work */
export function alone<T>(work: () => Promise<T>): Promise<T> {
  return exclusively(LOCK, work, 'Another benchmark is at work');
}

/** What has just started compiles its code and looks at everything once: a fleet at work is measured, not its start. */
async function settled(): Promise<void> {
  say('the sandbox settles');
  for (const end = Date.now() + SETTLES_MS; Date.now() < end;) if ((await busy(2_000)) < QUIET) return;
  say(
    `the machine is busy with more than ${QUIET * 100} % of its cores still: the figures are of such a machine`,
  );
}

/** The share of the machine's time that is used, within so long, ms. */
async function busy(withinMs: number): Promise<number> {
  const spent = () =>
    cpus().reduce(
      (sum, { times: { idle, ...used } }) => ({
        idle: sum.idle + idle,
        used: sum.used + Object.values(used).reduce((a, b) => a + b),
      }),
      { idle: 0, used: 0 },
    );
  const before = spent();
  await delay(withinMs);
  const after = spent();
  const used = after.used - before.used;
  return used / (used + after.idle - before.idle);
}

/**
 * Brings a sandbox of the benchmarks' own up, works with it once it has settled, and takes it down however that ends; what a killed
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
      const sandbox = await up(options);
      await settled();
      return await work(sandbox);
    } finally {
      await down(options);
    }
  });
}
