import { isDeepStrictEqual } from 'node:util';
import { SwitchoverError } from '../core/errors';
import { changesOf } from '../core/plan';
import type { Planned, RunReport } from '../core/run';

/** What a run has planned for this runbook and input. @throws BAD_INPUT where it has not */
export function plannedBy(
  { run, runbook: of, input: planned, mode, state, steps }: RunReport,
  runbook: string,
  input: Record<string, unknown>,
): Planned {
  const same = of === runbook && isDeepStrictEqual(planned, input);
  if (state === 'planned' && same) return { plan: run, changes: changesOf({ mode, steps }) };
  const what = same ? `is ${state}` : `is of ${of} with ${JSON.stringify(planned)}`;
  throw new SwitchoverError(
    'BAD_INPUT',
    `plan: ${run} ${what}; it must be a plan of ${runbook} with this very input (./switchover run ${runbook} … --mode plan)`,
  );
}
