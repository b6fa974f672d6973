import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { ROLES, type Config, type Role } from '../../core/config';
import { SwitchoverError } from '../../core/errors';
import { readSecret } from '../../operations/secrets';
import type { Caller, Token } from '../deps';

declare module 'fastify' {
  interface FastifyRequest {
    /** Whose token came with the request; set on every guarded route. */
    caller: Caller;
  }
  interface FastifyContextConfig {
    /** The least role that may call the route. */
    role?: Role;
  }
}

export type Scheme = 'bearer' | 'basic';

/** The environment file's tokens with their secrets. @throws BAD_CONFIG where one is missing or two are the same. */
export function readTokens(tokens: Config['server']['tokens']): Token[] {
  const found = tokens.map(({ name, role, secret }, i) => ({
    name,
    role,
    secret: readSecret(secret, `server.tokens.${i} (${name})`),
  }));
  for (const [i, { name, secret }] of found.entries()) {
    const twin = found.slice(0, i).find((other) => other.secret === secret);
    if (twin)
      throw new SwitchoverError(
        'BAD_CONFIG',
        `server.tokens.${i} (${name}): has the same secret as "${twin.name}"; the audit could not tell them apart`,
      );
  }
  return found;
}

/**
 * Lets nobody past without a token whose role is at least the route's `config.role`; routes of `app` that name none
 * fail at start. Basic authentication takes the token as its password, the user name is not looked at.
 */
export function guard(app: FastifyInstance, tokens: readonly Token[], schemes: readonly Scheme[]): void {
  const known = tokens.map(({ secret, ...caller }) => ({ caller, digest: digestOf(secret) }));
  app.decorateRequest('caller');
  app.addHook('onRoute', ({ method, url, config }) => {
    if (!config?.role) throw new Error(`${String(method)} ${url}: config.role does not say who may call it`);
  });
  app.addHook('onRequest', async (request) => {
    const secret = presented(request.headers.authorization, schemes);
    if (secret === undefined) throw new SwitchoverError('UNAUTHENTICATED', missing(schemes));
    // Every digest is compared, so that the time taken tells nothing about which one was near.
    const digest = digestOf(secret);
    const [match] = known.filter((candidate) => timingSafeEqual(candidate.digest, digest));
    if (!match) throw new SwitchoverError('UNAUTHENTICATED', 'the token sent is not one of this environment');
    request.caller = match.caller;
    const { method, routeOptions } = request;
    demand(match.caller, routeOptions.config.role ?? 'admin', `${method} ${routeOptions.url}`);
  });
}

/** @throws FORBIDDEN, naming the role needed, where the caller's is less. */
export function demand({ name, role }: Caller, needed: Role, what: string): void {
  if (ROLES.indexOf(role) >= ROLES.indexOf(needed)) return;
  throw new SwitchoverError('FORBIDDEN', `${what} needs the role ${needed}; "${name}" is ${role}`);
}

function digestOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

function presented(authorization: string | undefined, schemes: readonly Scheme[]): string | undefined {
  const [, scheme, value] = /^(bearer|basic) +(\S+)\s*$/i.exec(authorization ?? '') ?? [];
  const known = schemes.find((candidate) => candidate === scheme?.toLowerCase());
  if (!known || !value) return undefined;
  if (known === 'bearer') return value;
  return Buffer.from(value, 'base64').toString('utf8').split(':').slice(1).join(':');
}

function missing(schemes: readonly Scheme[]): string {
  const basic = schemes.includes('basic') ? ', or basic authentication with the token as password' : '';
  return `the request carries no token: an Authorization header with "Bearer <token>"${basic}, is needed`;
}
