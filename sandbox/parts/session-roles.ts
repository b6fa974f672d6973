import type { Redis } from 'ioredis';
import { SESSIONS_VARIABLE } from '../environment';
import { sessionMembers, type SessionMember } from '../layout';
import type { Context } from './part';
import { ask } from './redis-ask';

/** A member by its own word. */
export interface SessionRole {
  member: SessionMember;
  primary: boolean;
  /** Bytes of the stream of changes that it has. */
  offset: number;
  /** Of a replica: the host:port that it follows, and whether it is connected to it and whole. */
  follows?: string;
  linked: boolean;
}

/** What each member that answers says of itself. */
export async function sessionRoles(context: Context): Promise<SessionRole[]> {
  const roles = await Promise.allSettled(
    sessionMembers(context.settings.block).map(async (member): Promise<SessionRole> => {
      const [role, ...facts] = await askMember(context, member, (redis) => redis.role());
      if (role === 'master') return { member, primary: true, offset: Number(facts[0]), linked: true };
      const [host, port, state, offset] = facts;
      const follows = `${String(host)}:${String(port)}`;
      return { member, primary: false, offset: Number(offset), follows, linked: state === 'connected' };
    }),
  );
  return roles.flatMap((role) => (role.status === 'fulfilled' ? [role.value] : []));
}

/** One question to a member. @throws Error where it is not answered */
export function askMember<T>(
  { secrets }: Context,
  { redis }: SessionMember,
  question: (redis: Redis) => Promise<T>,
): Promise<T> {
  return ask(redis, question, secrets[SESSIONS_VARIABLE]);
}
