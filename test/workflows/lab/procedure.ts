import type { Run } from '../../../workflows/engine/run';
import type { Clock, Deed, Finding, Intent } from '../../../core/run';
import { quick, work } from '../../../workflows/proxies';

/** A step: the verb of the run, and the thing it is about. Its title is the line itself; the undo of `act x` is `undo x`. */
export type StepLine = `${'look' | 'act' | 'verify' | 'watch'} ${string}`;

/** One line of a lab procedure. */
export type Line =
  | StepLine
  /** The same step by a worker of a region, where one takes it up. */
  | { near: StepLine; region: string }
  /** The same step by a local activity. */
  | { quickly: StepLine }
  /** The first of several ways that works. */
  | { choose: Record<string, Line[]> }
  /** Parts of which each is done whether or not another failed. */
  | { examine: { title: string; needs?: string[]; lines: Line[] }[] }
  /** What a run has taken out of service itself. */
  | { inHand: string[]; lines: Line[] }
  /** From here on looked at when the run goes on after a pause. */
  | { afterPause: StepLine }
  | { mark: keyof Clock; at: string }
  | { lose: number }
  /** Another lab runbook on this node as one step; `undo`: what leads back from it. */
  | { nest: Played; by?: 'lab-ask' | 'lab-undo' | 'lab-forced'; undo?: Played }
  /** An act that is not gone back on. */
  | { act: string; noReturn: string }
  /** What is given up once the run is forced, and what is done instead. */
  | { gracefully: Line[]; forced: Line[] }
  | { end: 'recovered' | 'succeeded'; saying: string };

export interface Played {
  node: string;
  lines: Line[];
}

/** The lab's systems as activities; what they do is each test's script. */
export interface Systems {
  look: (asked: { thing: string }) => Promise<Finding<string>>;
  act: (asked: { thing: string; how: Intent }) => Promise<Deed<string>>;
  undo: (asked: { thing: string; how: Intent }) => Promise<Deed<string>>;
}

const regular = work as unknown as Systems;
const local = quick as unknown as Systems;

/** The procedure of every lab runbook: plays its lines in order. */
export async function play(run: Run, { lines }: Pick<Played, 'lines'>): Promise<string> {
  for (const line of lines) await playLine(run, line);
  return 'every line was played';
}

async function playLine(run: Run, line: Line): Promise<void> {
  if (typeof line === 'string') return step(run, line, regular);
  if ('near' in line) return step(run, line.near, run.near(line.region).work as unknown as Systems);
  if ('quickly' in line) return step(run, line.quickly, local);
  if ('afterPause' in line) {
    const thing = line.afterPause.split(' ')[1]!;
    return run.afterPause(line.afterPause, () => regular.look({ thing }));
  }
  if ('examine' in line)
    return run.examine(
      line.examine.map(({ lines, ...part }) => ({
        ...part,
        go: async () => void (await play(run, { lines })),
      })),
    );
  if ('inHand' in line)
    return run.inHand(line.inHand, async () => void (await play(run, { lines: line.lines })));
  if ('mark' in line) return run.mark(line.mark, line.at);
  if ('lose' in line) return run.lost('sessions', line.lose);
  if ('nest' in line) {
    const { nest, by: runbook = 'lab-undo', undo } = line;
    const back = undo && { title: `undo ${runbook}`, runbook, input: { ...undo } };
    return void (await run.nest({
      title: `run ${runbook}`,
      runbook,
      input: { ...nest },
      ...(back && { undo: back }),
    }));
  }
  if ('noReturn' in line) {
    const { act: thing, noReturn } = line;
    const act = (how: Intent) => regular.act({ thing, how });
    return void (await run.act({ title: `act ${thing}`, act, noReturn }));
  }
  if ('gracefully' in line) {
    const done = await run.gracefully(() => play(run, { lines: line.gracefully }));
    return done === undefined ? void (await play(run, { lines: line.forced })) : undefined;
  }
  if ('end' in line) return run[line.end](line.saying);
  const ways = Object.entries(line.choose).map(([name, lines]) => ({ name, go: () => play(run, { lines }) }));
  await run.firstThatWorks('choose', ways);
}

async function step(run: Run, title: StepLine, systems: Systems): Promise<void> {
  const [verb, thing] = title.split(' ') as ['look' | 'act' | 'verify' | 'watch', string];
  if (verb !== 'act') {
    await run[verb](title, () => systems.look({ thing }));
    return;
  }
  await run.act({
    title,
    act: (how) => systems.act({ thing, how }),
    undo: { title: `undo ${thing}`, act: (how) => systems.undo({ thing, how }) },
  });
}
