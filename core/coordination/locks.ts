import { contains } from '../scope';
import type { Runbook } from '../runbook';
import type { Mode, Trigger } from '../run';
import { PRECEDENCE, type Claim, type Coordination, type Holding, type Precedence } from './state';

/** How a claim went: it holds its scope; it has been promised it once these have yielded; or this one goes first. */
export type Contest =
  { outcome: 'granted' } | { outcome: 'waits'; for: Claim[] } | { outcome: 'refused'; by: Claim };

/** Whose work goes first (DESIGN section 4). A start from the Temporal UI names nobody, so it ranks as planned work. */
export function precedenceOf(kind: Runbook['kind'], mode: Mode, trigger: Trigger): Precedence {
  if (mode === 'drill' || kind === 'drill') return 'drill';
  if (kind !== 'failover' || trigger === 'schedule' || trigger === 'unknown') return 'planned';
  return trigger === 'manual' ? 'manual' : 'failover';
}

/** Whether one scope contains the other. */
export function overlap(one: string, other: string): boolean {
  return contains(one, other) || contains(other, one);
}

/**
 * Whether `one` goes before `other`, which is on an overlapping scope: a rescue before anything planned and planned work
 * before a drill; among equals of these the wider; on one scope the higher precedence. A strict order, so that no two
 * runs can each wait for the other.
 */
export function outranks(one: Claim, other: Claim): boolean {
  if (tier(one) !== tier(other)) return tier(one) > tier(other);
  if (one.scope !== other.scope) return contains(one.scope, other.scope);
  return PRECEDENCE.indexOf(one.precedence) > PRECEDENCE.indexOf(other.precedence);
}

/**
 * Whether `one` may make `other` give way. Beyond {@link outranks}, one that waits for rescues, such as a deploy, gives way to nothing
 * else: to be undone half-way for other planned work would be worse than to let that work come later.
 */
function goesBefore(one: Claim, other: Claim): boolean {
  return outranks(one, other) && !(other.waits && tier(one) === tier(other));
}

function tier({ precedence }: Claim): number {
  return Math.min(PRECEDENCE.indexOf(precedence), PRECEDENCE.indexOf('failover'));
}

/** Every claim there is, of runs that hold their scope and of runs that wait for it. */
export function claims({ locks, waiting }: Coordination): Claim[] {
  return [...Object.entries(locks).map(([scope, lock]) => ({ ...lock, scope })), ...waiting];
}

/**
 * Takes the scope for a run, or promises it. Those who must make room are marked, and are to be told; `for` has all of
 * them, also who was told before. A run that has its claim already keeps it (retries). Who has lent its scope is in nobody's way who
 * goes before it.
 */
export function claimScope(now: Coordination, asked: Claim): Contest {
  const { run, scope } = asked;
  if (now.locks[scope]?.run === run) return { outcome: 'granted' };
  const rivals = claims(now).filter(
    (other) => other.run !== run && overlap(other.scope, scope) && !(other.lent && goesBefore(asked, other)),
  );
  const stronger = rivals.find((rival) => !goesBefore(asked, rival));
  if (stronger) return { outcome: 'refused', by: stronger };
  const { scope: _, ...lock } = asked;
  if (rivals.length === 0) {
    now.locks[scope] = lock;
    return { outcome: 'granted' };
  }
  for (const rival of rivals) askToYield(now, rival, run);
  if (!waitingOf(now, run)) now.waiting.push(asked);
  return { outcome: 'waits', for: rivals };
}

/** The run that does what is asked for already: the same runbook on the same scope, both as a drill or both in earnest. */
export function doesTheSame(now: Coordination, { scope, runbook, precedence }: Claim): Claim | undefined {
  return claims(now).find(
    (other) =>
      other.scope === scope &&
      other.runbook === runbook &&
      (other.precedence === 'drill') === (precedence === 'drill'),
  );
}

/**
 * Records the lock of a run that is at work already, or what has become known of it; never in anybody's way. One that says nothing of what
 * it has in hand may have been sent before one that does: it changes nothing of that.
 */
export function record(now: Coordination, { scope, ...lock }: Claim): void {
  const known = now.locks[scope];
  if (known?.run === lock.run) {
    const { trigger, precedence, inHand = known.inHand } = lock;
    const { inHand: _, ...rest } = known;
    now.locks[scope] = { ...rest, trigger, precedence, ...(inHand?.length && { inHand }) };
    return;
  }
  if (claims(now).every((other) => other.run !== lock.run && !overlap(other.scope, scope)))
    now.locks[scope] = lock;
}

function askToYield(now: Coordination, { run, scope }: Claim, to: string): void {
  const lock = now.locks[scope];
  const claim = lock?.run === run ? lock : waitingOf(now, run);
  if (claim) claim.yieldsTo = to;
}

function waitingOf({ waiting }: Coordination, run: string): Claim | undefined {
  return waiting.find((claim) => claim.run === run);
}

/** A run that waits for rescues lets them have its scope, and is promised it back; it goes after all who wait for a part of it. */
export function lend(now: Coordination, holding: Holding): void {
  const { run, runbook, scope, trigger, precedence, since, inHand } = holding;
  free(now, run);
  const kept = inHand?.length && { inHand };
  now.waiting.push({ run, runbook, scope, trigger, precedence, since, waits: true, lent: true, ...kept });
}

/** Gives back whatever the run holds or waits for. */
export function free(now: Coordination, run: string): void {
  for (const [scope, lock] of Object.entries(now.locks)) if (lock.run === run) delete now.locks[scope];
  now.waiting = now.waiting.filter((claim) => claim.run !== run);
}

/**
 * Gives the scopes that have become free to those who wait for them and are `ready` to be told; who has to make room
 * gets nothing. @returns who got theirs
 */
export function grantNext(now: Coordination): Claim[] {
  const granted: Claim[] = [];
  for (const claim of now.waiting) {
    const { scope, lent, ...lock } = claim;
    const inTheWay = Object.keys(now.locks).some((held) => overlap(held, scope));
    const others = now.waiting.some((other) => !other.lent && overlap(other.scope, scope));
    if (lock.yieldsTo || inTheWay || (lent && others)) continue;
    now.locks[scope] = lock;
    granted.push(claim);
  }
  now.waiting = now.waiting.filter((claim) => !granted.includes(claim));
  return granted;
}
