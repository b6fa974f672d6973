import { elapsed } from '../core/report';
import type { OnProgress, Progress } from '../sandbox';
import { colorsOf } from './colors';
import { canRedraw, print, type Out } from './terminal';

const ENDS: readonly Progress['state'][] = ['started', 'running', 'skipped', 'failed'];

/** Shows how the parts of a sandbox come up: a list that is redrawn on a terminal, a line for each part elsewhere. */
export async function showProgress<T>(out: Out, work: (onProgress: OnProgress) => Promise<T>): Promise<T> {
  if (!canRedraw(out) || out === process.stderr) return work(appendTo(out));
  const list = new PartList();
  try {
    return await work((progress) => list.take(progress));
  } finally {
    await list.shown;
  }
}

function appendTo(out: Out): OnProgress {
  return (progress) => {
    if (ENDS.includes(progress.state)) print(out, [said(progress)]);
  };
}

function said({ part, state, ms, note }: Progress): string {
  const word =
    state === 'started'
      ? `✓ ${part}`
      : state === 'running'
        ? `✓ ${part} (ran already)`
        : `${state === 'failed' ? '✗' : '·'} ${part} ${state}`;
  return `${word}  ${elapsed(ms)}${note ? `  ${note}` : ''}`;
}

/** The parts as a listr2 list. listr2 wants to know its tasks first, so it starts once every part has been heard of. */
class PartList {
  /** When the last part came to its end and the list is on the screen. */
  shown: Promise<void> | undefined;
  private readonly parts = new Map<string, { ended: Promise<Progress>; end: (progress: Progress) => void }>();

  take(progress: Progress): void {
    const part = this.parts.get(progress.part) ?? this.add(progress.part);
    if (ENDS.includes(progress.state)) part.end(progress);
    // All parts are announced in one go, before anything is started.
    this.shown ??= new Promise((resolve) => setImmediate(resolve)).then(() => this.draw());
  }

  private add(name: string) {
    let end: (progress: Progress) => void = () => undefined;
    const ended = new Promise<Progress>((resolve) => (end = resolve));
    const part = { ended, end };
    this.parts.set(name, part);
    return part;
  }

  private async draw(): Promise<void> {
    const { Listr } = await import('listr2');
    const { dim } = colorsOf(process.stdout);
    const tasks = [...this.parts].map(([name, { ended }]) => ({
      title: name,
      task: async (_: unknown, task: { title: string; skip(why: string): void }) => {
        const { state, ms, note } = await ended;
        task.title = `${name} ${dim(state === 'running' ? 'ran already' : elapsed(ms))}`;
        if (state === 'skipped') task.skip(`${name}: ${note}`);
        if (state === 'failed') throw new Error(`${name}: ${note}`);
      },
    }));
    await new Listr(tasks, { concurrent: true, exitOnError: false, registerSignalListeners: false }).run();
  }
}
