import { findRunbook } from '../../core/runbook';
import { describe, problems } from '../../core/schema';
import type { Mode } from '../../core/run';
import { attend, type AttendOptions } from '../attend';
import { catalogue } from '../catalogue';
import { UsageError } from '../errors';
import { exampleCommand, readInput, type InputOptions } from '../input';
import { withSession } from '../session';
import { print } from '../terminal';
import { whoAmI } from '../who';

export interface RunOptions extends InputOptions, AttendOptions {
  mode: Mode;
  wait?: boolean;
  key?: string;
  reason?: string;
  plan?: string;
}

/** How long `--wait` waits where no `--timeout` says otherwise. */
const WAIT_MS = 600_000;

/** Starts a run, or joins the one at work, and stays with it where asked to. Its input is checked before anything is contacted. */
export async function run(id: string, options: RunOptions): Promise<number> {
  const runbook = findRunbook(catalogue, id);
  const input = readInput(runbook, options);
  const wrong = problems(runbook.input, input, 'input');
  if (wrong.length > 0) throw new UsageError(`${id}: ${describe(wrong)}`, exampleCommand(runbook));
  const { mode, reason, key, plan, json } = options;
  if (plan !== undefined && mode === 'plan')
    throw new UsageError('--plan: a plan carries out no other one', exampleCommand(runbook));
  return withSession(async (session) => {
    const ask = {
      runbook: id,
      input,
      mode,
      by: whoAmI(),
      door: 'the command line',
      ...(reason ? { reason } : {}),
      ...(key ? { key } : {}),
      ...(plan === undefined ? {} : { plan }),
    };
    const { run: name, joined } = await session.operations.start(ask);
    if (joined) print(process.stderr, [`Joined a run that is already there: ${name}`]);
    if (options.follow) return attend(session, name, options);
    if (options.wait) return attend(session, name, { timeout: WAIT_MS, ...options });
    if (json) print(process.stdout, [JSON.stringify(await session.operations.show(name), null, 2)]);
    else print(process.stdout, [name, `  watch it with: ./switchover watch ${name}`]);
    return 0;
  });
}
