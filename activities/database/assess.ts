import { setTimeout as delay } from 'node:timers/promises';
import { judgeDatabase, type DatabaseVerdict, type DatabaseView } from '../../core/database';
import { whyNot } from '../../core/guards';
import type { Finding, Refusal } from '../../core/run';
import type { DatabaseSystems } from '../deps';

/** What was seen of a database whose primary is said to have failed, and what that comes to. */
export interface DatabaseAssessment extends DatabaseVerdict {
  view: DatabaseView;
}

/**
 * How long it may be unclear whether the primary has failed, ms: a standby takes seconds to notice that it hears nothing, and one
 * that nobody reaches may be well while this process was held up.
 */
const UNCLEAR_MS = 8_000;
const AGAIN_MS = 100;

/**
 * Looks until it is clear: the primary takes its clients' writes, or it has failed and somebody can take over. What is still
 * unclear after {@link UNCLEAR_MS} counts as not failed.
 */
export async function assessDatabase({ database }: DatabaseSystems): Promise<Finding<DatabaseAssessment>> {
  for (const end = Date.now() + UNCLEAR_MS; ; await delay(AGAIN_MS)) {
    const view = await database.look();
    const verdict = judgeDatabase(view);
    const clear = view.clients.ok || (verdict.failed && verdict.candidate);
    if (clear || Date.now() > end) return { sentence: verdict.said, value: { ...verdict, view } };
  }
}

/** Why nobody must be let take over, or null. */
export function whyNotTakeOver({ primary, candidate, view }: DatabaseAssessment): Refusal | null {
  const standbys = view.members.filter(({ member }) => member !== primary);
  return whyNot('take over database', {
    primary: primary ?? 'the primary',
    candidate,
    synchronous: view.synchronous,
    writable: standbys.filter(({ postgres }) => postgres?.writable).map(({ member }) => member),
    control: view.leader !== undefined,
  });
}
