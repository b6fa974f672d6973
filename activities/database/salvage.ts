import { Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import type { Salvage } from '../../core/database';
import type { Deed, Intent } from '../../core/run';
import { databaseProgram, salvageProgram } from '../../core/topology';
import { beating } from '../beating';
import { databaseOf, type Deps } from '../deps';

/** How long reading the log of a former primary may take, ms: it is as large as what the database keeps of it. */
const SALVAGE_MS = 600_000;

const Printed = Type.Object({
  timeline: Type.Integer(),
  fork: Type.Optional(Type.String()),
  transactions: Type.Integer(),
  deleted: Type.Integer(),
  missing: Type.Integer(),
  different: Type.Integer(),
  same: Type.Integer(),
  file: Type.Optional(Type.String()),
});

/** What a failover of the database has cost (REQUIREMENTS F5: recovery point). */
export function databaseSalvage(deps: Deps) {
  return {
    /**
     * Has the machine of a fenced former primary save what only that has, see sandbox/salvage. It can be done again for as long as
     * the member has not followed its successor; then nothing is found any more, and the file stays. Of one that runs nothing is read.
     * @throws FLEET_REFUSED, VERIFY_FAILED where it could not be read: then the member must not follow yet
     */
    salvageDatabase: beating(
      async ({ member, how }: { member: string; how: Intent }): Promise<Deed<Salvage>> => {
        if (how.mode === 'plan')
          return {
            changed: true,
            sentence: `would save what only ${member} has, before that is thrown away`,
          };
        const { fleet } = databaseOf(deps);
        if ((await fleet.status(databaseProgram(member))).pid !== 0)
          return { changed: false, sentence: `${member} runs again, so what it had cannot be read any more` };
        const printed = await fleet.run(salvageProgram(member), SALVAGE_MS);
        const after = Value.Parse(Printed, JSON.parse(printed));
        return { changed: after.file !== undefined, sentence: sentenceOf(member, after), after };
      },
    ),
  };
}

function sentenceOf(member: string, salvage: Salvage): string {
  const { transactions, missing, different, same, deleted, file, fork, timeline } = salvage;
  if (transactions === 0) return `${member} has committed nothing that its successor does not have`;
  const parts = [`${missing} rows that its successor does not have`, `${different} that it has otherwise`];
  if (same > 0) parts.push(`${same} that it has as well`);
  if (deleted > 0) parts.push(`${deleted} that were deleted`);
  const where = file === undefined ? '' : `; saved in ${file}`;
  return `${member} alone has committed ${transactions} transactions since ${fork} on timeline ${timeline}: ${parts.join(', ')}${where}`;
}
