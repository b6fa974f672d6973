import { SwitchoverError } from '../../core/errors';
import { sessionsProgram } from '../../core/topology';
import { until } from '../conditions';
import { sessionMembers } from '../layout';
import type { Context } from '../parts/part';
import { sentinelProgram, unwatch, watchAll } from '../parts/sentinel';
import { sessionRoles, type SessionRole } from '../parts/session-roles';
import type { Supervisor } from '../supervisor';
import { hang, kill, startPartOf } from './program';
import { cutOff, hostOf, reconnect } from './routes';

/**
 * What can happen to each part of the session store under Sentinel. `kill`: SIGKILL · `hang`: SIGSTOP · `partition`: nobody reaches
 * the primary, although it runs; only as root.
 */
export const REDIS_FAULTS = {
  primary: ['kill', 'hang', 'partition'],
  replica: ['kill', 'hang'],
} as const;
export type RedisPart = keyof typeof REDIS_FAULTS;
export type RedisFault = (typeof REDIS_FAULTS)[RedisPart][number];

const HEAL_MS = 30_000;

/** Gives the primary, whichever member that is, or a replica a fault. @returns one sentence of what was done */
export async function breakRedis(
  context: Context,
  supervisor: Supervisor,
  part: RedisPart,
  fault: RedisFault,
): Promise<string> {
  requireSentinel(context);
  const { member } = await find(context, part);
  const program = sessionsProgram(member.name);
  if (fault === 'partition') {
    await cutOff(hostOf(member.redis));
    return `${program}, the ${part}, is reached by nobody`;
  }
  return `${await (fault === 'kill' ? kill : hang)(supervisor, program)}; it was the ${part}`;
}

/**
 * Makes the session store whole again: a primary with two replicas, and Sentinels that agree on it. What hangs or is
 * cut off is killed and started: a primary that was away while another took over would come back as a second one.
 * @returns one sentence of what was done
 */
export async function healRedis(context: Context, supervisor: Supervisor): Promise<string> {
  requireSentinel(context);
  const members = sessionMembers(context.settings.block);
  const answering = (await sessionRoles(context)).map(({ member }) => member.name);
  const silent = members.filter(({ name }) => !answering.includes(name));
  await Promise.all(silent.map(({ name }) => end(supervisor, sessionsProgram(name))));
  await reconnect(context.settings.block);
  const { name, watcher } = members[0]!;
  await until(() => startPartOf(context, supervisor, sessionsProgram(name)), HEAL_MS);
  await unwatch(context); // who came back would be found after 10 s only
  await watchAll(context);
  await until(() => startPartOf(context, supervisor, sentinelProgram(watcher)), HEAL_MS);
  const primary = await find(context, 'primary');
  return `the session store serves: ${sessionsProgram(primary.member.name)} is the primary, the others follow it`;
}

async function end(supervisor: Supervisor, program: string): Promise<void> {
  const { pid } = await supervisor.info(program);
  if (pid > 0) await kill(supervisor, program);
}

async function find(context: Context, part: RedisPart): Promise<SessionRole> {
  const found = (await sessionRoles(context)).find(({ primary }) => primary === (part === 'primary'));
  if (found) return found;
  throw new SwitchoverError('SANDBOX', `the session store has no ${part} that answers`);
}

function requireSentinel({ settings }: Context): void {
  if (settings.sentinel) return;
  throw new SwitchoverError(
    'SANDBOX',
    'the session store of this sandbox is one Redis alone: bring it up without --no-sentinel',
  );
}
