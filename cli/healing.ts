import { setTimeout as pause } from 'node:timers/promises';
import { SwitchoverError } from '../core/errors';
import { elapsed } from '../core/report';
import { isOver, type RunReport } from '../core/run';
import { wait, type Scene } from '../sandbox/scenario';
import { follow, viewer } from './follow';
import { calls } from './render/demo';
import { clip } from './render/text';
import type { Session } from './session';
import { lookOf, print, type Out } from './terminal';

/** How long the load balancer's part is waited for before the run is shown; what comes later shows in the result. */
const OUT_MS = 2_000;
const STARTS_MS = 30_000;
/** How often the coordinator is asked for the run: rarely enough not to slow down what is shown. */
const LOOK_EVERY_MS = 200;
const ENDS_MS = 120_000;
/** How long the clients go on calling once the run is over. */
const AFTER_MS = 3_000;

/**
 * Shows how a node that has just been broken is healed: when the load balancer let go of it, then the run that the
 * monitor starts, live, with what the clients see below it.
 * @returns the run's report, once it is over or needs a person.
 * @throws TIMED_OUT with the report as details · SANDBOX where no run begins · anything, once `stop` is aborted
 */
export async function watchHealing(
  session: Session,
  scene: Scene,
  out: Out,
  stop: AbortSignal,
): Promise<RunReport> {
  const { node, sentence, load } = scene;
  const { red, dim } = lookOf(out).colors;
  print(out, [`${red('✗')} ${node.id}, which takes ${node.rate} calls a second: ${sentence}`]);
  await showOut(scene, out, stop);
  const run = await runOn(session, node.id, stop);
  const below = () => ['', dim(clip(calls(load.snapshot()), lookOf(out).width))];
  const view = viewer(out, session.link, below);
  try {
    const signal = AbortSignal.any([stop, AbortSignal.timeout(ENDS_MS)]);
    const report = await follow(session.operations, run, { view, enough: needsPerson, signal });
    stop.throwIfAborted();
    if (!report || !(isOver(report.state) || needsPerson(report)))
      throw new SwitchoverError('TIMED_OUT', `${run} is not over after ${elapsed(ENDS_MS)}`, report);
    await pause(AFTER_MS, undefined, { signal: stop });
    return report;
  } finally {
    view.end();
  }
}

const needsPerson = ({ state }: RunReport): boolean => state === 'needs attention';

async function showOut({ watch, brokenAt }: Scene, out: Out, stop: AbortSignal): Promise<void> {
  const look = async (): Promise<number> => {
    if (watch.outAt === undefined) throw new Error('HAProxy still gives it requests');
    return watch.outAt - brokenAt;
  };
  const outMs = await wait(look, OUT_MS, stop).catch(() => undefined);
  stop.throwIfAborted();
  const { green, yellow } = lookOf(out).colors;
  if (outMs === undefined) print(out, [`${yellow('!')} HAProxy still gives it requests`, '']);
  else print(out, [`${green('✓')} out of the load balancer ${elapsed(outMs)} later`, '']);
}

async function runOn({ operations }: Session, node: string, stop: AbortSignal): Promise<string> {
  const look = async (): Promise<string> => {
    const lock = (await operations.coordination()).locks[`node/${node}`];
    if (lock) return lock.run;
    await pause(LOOK_EVERY_MS);
    throw new Error(`no run has begun on ${node}: does a worker run? ./switchover sandbox status shows it`);
  };
  return wait(look, STARTS_MS, stop);
}
