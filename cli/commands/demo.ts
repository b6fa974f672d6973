import { isOver, OUTCOMES, type RunReport, type RunState } from '../../core/run';
import { down, up, type Sandbox } from '../../sandbox';
import { breakUnderLoad, CROWD, type Candidate, type Episode, type Stage } from '../../sandbox/scenario';
import { watchHealing } from '../healing';
import { interruption } from '../interrupt';
import { showProgress } from '../progress';
import { demoBox, demoLines, nextPage, tourLines, type DemoResult } from '../render/demo';
import { timeline } from '../render/timeline';
import { withSession, type Session } from '../session';
import { showTour } from '../tour';
import { canRedraw, lookOf, print, type Out } from '../terminal';

export interface DemoOptions {
  block?: number;
  /** Show a drill, a deploy that puts itself back, and a restore after the node. */
  tour?: boolean;
  /** Take the sandbox down at the end. */
  exit?: boolean;
  /** The result alone on standard output; what a person sees goes to standard error. */
  json?: boolean;
}

/** The exit status where the run waits for a person. */
const NEEDS_ATTENTION = 4;

/**
 * Brings the sandbox up, kills a node under live MCP clients, and shows how Switchover heals it by itself; with `tour` also what else
 * runbooks do. The clients end with this, however it ends; the sandbox stays, unless `exit` is set.
 * @returns the exit status of DESIGN section 10; 128 and the signal's number where a signal ended it.
 */
export async function demo(options: DemoOptions): Promise<number> {
  const stop = interruption();
  const out = options.json ? process.stderr : process.stdout;
  try {
    return await perform(options, out, stop);
  } catch (error) {
    if (!stop.aborted) throw error;
    print(out, [
      '',
      options.exit
        ? 'Stopped.'
        : `Stopped; the sandbox still runs. End it: ./switchover sandbox down${flags(options)}`,
    ]);
    return stop.reason as number;
  } finally {
    if (options.exit) await takeDown(options, out);
  }
}

async function perform(options: DemoOptions, out: Out, stop: AbortSignal): Promise<number> {
  const sandbox = await showProgress(out, (onProgress) => up(which(options), onProgress));
  enter(sandbox);
  return withSession(async (session) => {
    const { green } = lookOf(out).colors;
    print(out, ['']);
    const stage: Stage = {
      ...CROWD,
      fault: 'kill',
      sandbox,
      choose: (serving) => busiest(session, serving),
      signal: stop,
      say: (sentence) => print(out, [`${green('✓')} ${sentence}`]),
    };
    const result = resultOf(await breakUnderLoad(stage, (scene) => watchHealing(session, scene, out, stop)));
    show(result, out);
    const shown = options.tour ? await showTour({ session, sandbox, out, signal: stop }) : [];
    conclude({ ...result, ...(options.tour && { tour: shown }) }, session, sandbox, options, out);
    const other = shown.find(({ run, expected }) => run.state !== expected)?.run.state;
    return statusOf(other ?? result.outcome);
  });
}

/** Works with this sandbox, whatever environment and Temporal server the person's shell names. */
function enter({ env }: Sandbox): void {
  for (const name of Object.keys(process.env)) if (name.startsWith('TEMPORAL_')) delete process.env[name];
  Object.assign(process.env, env);
}

/** The node with the most traffic, of those that no run works on: an earlier fault does not disturb this one. */
async function busiest(
  { operations }: Session,
  serving: readonly Candidate[],
): Promise<Candidate | undefined> {
  const { locks } = await operations.coordination();
  return serving.filter(({ id }) => !locks[`node/${id}`]).toSorted((a, b) => b.rate - a.rate)[0];
}

function resultOf({ node, brokenAt, watch, load, result: run }: Episode<RunReport>): DemoResult {
  const after = (at: number | undefined): number | null => (at === undefined ? null : at - brokenAt);
  const { clock, actual, state } = run;
  return {
    outcome: state,
    node: node.id,
    milliseconds: {
      outOfBalancer: after(watch.outAt),
      healed: after(clock.provenAt === undefined ? undefined : Date.parse(clock.provenAt)),
      fullWeight: after(watch.backAt),
    },
    sessionsLost: { clients: load.sessionsLost, report: actual.sessionsLost ?? null },
    load,
    run,
  };
}

const statusOf = (state: RunState): number => (isOver(state) ? OUTCOMES[state] : NEEDS_ATTENTION);

function show(result: DemoResult, out: Out): void {
  const look = lookOf(out);
  if (canRedraw(out)) print(out, [...timeline(result.run, look), '', ...demoBox(result, look)]);
  else print(out, demoLines(result, look));
}

/** What became of all, for programs, and where to go from here, for people. */
function conclude(
  result: DemoResult,
  session: Session,
  sandbox: Sandbox,
  options: DemoOptions,
  out: Out,
): void {
  const look = lookOf(out);
  print(out, tourLines(result.tour ?? [], look));
  if (options.json) print(process.stdout, [JSON.stringify(result, null, 2)]);
  if (options.exit) return;
  const { run } = result.run;
  print(out, nextPage({ run, link: session.link(run), urls: sandbox.urls, flags: flags(options) }, look));
}

async function takeDown(options: DemoOptions, out: Out): Promise<void> {
  const { dir, processes } = await down(which(options));
  print(out, ['', `Ended the sandbox: ${processes} processes, and ${dir} removed.`]);
}

/** The sandbox the options name. */
function which({ block }: DemoOptions): { block?: number } {
  return block === undefined ? {} : { block };
}

/** The same as options of the `sandbox` commands. */
function flags({ block }: DemoOptions): string {
  return block === undefined ? '' : ` --block ${block}`;
}
