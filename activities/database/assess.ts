import { setTimeout as delay } from 'node:timers/promises';
import { judgeDatabase, type DatabaseVerdict, type DatabaseView } from '../../core/database';
import { whyNot } from '../../core/guards';
import { agentAtWork, membersApart, type Apart } from '../../core/partition';
import type { Finding, Refusal } from '../../core/run';
import type { DatabaseSystems } from '../deps';

/** What was seen of a database whose primary is said to have failed, and what that comes to. */
export interface DatabaseAssessment extends DatabaseVerdict {
  view: DatabaseView;
  /** Members that are not with the primary. Of a failed one only those that do not run: who runs will follow the next one. */
  apart: Apart[];
}

/**
 * How long it may be unclear whether the primary has failed, ms: a standby takes seconds to notice that it hears nothing, and one
 * that nobody reaches may be well while this process was held up.
 */
const UNCLEAR_MS = 8_000;
const AGAIN_MS = 100;
/** So often nobody at all has to be seen: once may be this process's own trouble. */
const DARK_LOOKS = 3;

/**
 * Looks until it is clear: the primary takes its clients' writes, or it has failed and somebody can take over, or all is dark. After
 * {@link UNCLEAR_MS} it is as it was seen last.
 */
export async function assessDatabase({ database }: DatabaseSystems): Promise<Finding<DatabaseAssessment>> {
  let dark = 0;
  for (const end = Date.now() + UNCLEAR_MS; ; await delay(AGAIN_MS)) {
    const view = await database.look();
    const verdict = judgeDatabase(view);
    dark = view.members.some(({ agent, postgres }) => agent || postgres) ? 0 : dark + 1;
    const clear = view.clients.ok || (verdict.failed && verdict.candidate) || dark === DARK_LOOKS;
    if (clear || Date.now() > end) return { sentence: verdict.said, value: assessed(verdict, view) };
  }
}

export function assessed(verdict: DatabaseVerdict, view: DatabaseView): DatabaseAssessment {
  const apart = membersApart(view, verdict.primary);
  return { ...verdict, view, apart: verdict.failed ? apart.filter((one) => !agentAtWork(one)) : apart };
}

/** Why nobody must be let take over, or null. */
export function whyNotTakeOver(
  { primary = 'the primary', candidate }: DatabaseVerdict,
  view: DatabaseView,
): Refusal | null {
  return whyNot('take over database', {
    primary,
    candidate,
    synchronous: view.synchronous,
    writable: writableBeside(view, primary),
    control: view.leader !== undefined,
  });
}

/** Why the last primary must not be started where nobody can take over from it, or null. */
export function whyNotStart(view: DatabaseView, primary = 'the primary'): Refusal | null {
  return whyNot('start primary', { primary, writable: writableBeside(view, primary) });
}

function writableBeside({ members }: DatabaseView, primary: string): string[] {
  return members
    .filter(({ member, postgres }) => member !== primary && postgres?.writable)
    .map(({ member }) => member);
}
