import { ApplicationFailure, sleep, workflowInfo } from '@temporalio/workflow';
import type { Missed } from '../core/missed';
import { isOver, OUTCOMES, type RunReport, type RunState } from '../core/run';
import { dueOf, type Tick } from '../core/tick';
import { causeOf, isCancellation } from './engine/outcome';
import { call, long } from './proxies';

/** How often a run that finds its scope held asks again, ms. */
const AGAIN_MS = 2_000;

/** It did nothing, or not what it was to do, for somebody else's sake: the schedule is not to blame. */
const NOT_DONE: readonly RunState[] = ['refused', 'absorbed', 'interrupted', 'inconclusive'];

/** What came of a run that was due. */
export interface TickResult {
  due: string;
  run?: string;
  state?: RunState;
  sentence: string;
}

/**
 * What a Temporal Schedule starts: one run of a runbook, through the coordinator as every other, so that lock, windows, lever and limits
 * hold. It lives as long as its run, which is what the schedule's overlap policy goes by, and fails where that one ends badly, which is
 * what pauses the schedule. The time at which it was due names its run, so however often it is begun there is one.
 */
export async function scheduledRun(tick: Tick): Promise<TickResult> {
  const due = dueOf(workflowInfo().workflowId);
  let run: string;
  try {
    ({ run } = await begin(tick, due));
  } catch (error) {
    if (isCancellation(error)) throw error;
    const { sentence, code } = causeOf(error);
    const result = await missed(tick, due, sentence);
    if (code !== undefined && REFUSALS.has(code)) return result;
    throw error;
  }
  return judged(tick, due, await long.followNested({ run }));
}

/** Why a run is not begun that says nothing against it. */
const REFUSALS: ReadonlySet<string> = new Set(['LOCK_HELD', 'NOT_NOW', 'LEVER_ENGAGED']);

/** A scope that is held is waited for, as long as the run is not late; anything else is said at once. */
async function begin(tick: Tick, due: string): Promise<{ run: string }> {
  for (;;) {
    try {
      return await call.startScheduled({ tick, due });
    } catch (error) {
      const late = Date.now() - Date.parse(due) >= tick.patienceMs;
      if (late || causeOf(error).code !== 'LOCK_HELD') throw error;
      await sleep(AGAIN_MS);
    }
  }
}

async function judged(tick: Tick, due: string, { run, state, sentence }: RunReport): Promise<TickResult> {
  if (NOT_DONE.includes(state)) return { ...(await missed(tick, due, sentence)), run, state };
  if (state !== 'aborted' && isOver(state) && OUTCOMES[state] !== 0) {
    await missed(tick, due, `${run} is ${state}: ${sentence}`, 'failed');
    throw ApplicationFailure.nonRetryable(`${run} is ${state}: ${sentence}`, 'STEP_FAILED');
  }
  await call.reportTick({ schedule: tick.schedule });
  return { due, run, state, sentence };
}

async function missed(
  { schedule }: Tick,
  due: string,
  sentence: string,
  kind: Missed['kind'] = 'refused',
): Promise<TickResult> {
  const one: Missed = { schedule, at: due, kind, why: sentence };
  await call.reportTick({ schedule, missed: one });
  return { due, sentence };
}
