import { createInterface } from 'node:readline';

/** How long whoever started this may take to say what is to be done, ms. */
const TOLD_MS = 10_000;

/** The first line of the input, as JSON. @throws Error where nobody says what is to be done within 10 s */
export async function readTask<Task>(): Promise<Task> {
  const lines = createInterface({ input: process.stdin });
  const late = setTimeout(() => lines.close(), TOLD_MS);
  for await (const line of lines) {
    clearTimeout(late);
    lines.close();
    process.stdin.unref();
    return JSON.parse(line) as Task;
  }
  throw new Error(`nobody said what is to be done within ${TOLD_MS / 1000} s`);
}

/** Prints a line of JSON. */
export function tell(what: object): void {
  process.stdout.write(`${JSON.stringify(what)}\n`);
}

/** Settles when it is asked to end, or after this long, ms. */
export function ended(forMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, forMs);
    for (const signal of ['SIGTERM', 'SIGINT'] as const)
      process.once(signal, () => {
        clearTimeout(timer);
        resolve();
      });
  });
}

/** How many of these nodes answer `/health` with 200 within so long, ms. */
export async function serving(probes: readonly string[], timeoutMs = 300): Promise<number> {
  const answers = await Promise.all(
    probes.map((address) =>
      fetch(`http://${address}/health`, { signal: AbortSignal.timeout(timeoutMs) })
        .then(async (answer) => {
          await answer.body?.cancel();
          return answer.ok;
        })
        .catch(() => false),
    ),
  );
  return answers.filter(Boolean).length;
}
