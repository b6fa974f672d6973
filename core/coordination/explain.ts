import { claims, overlap } from './locks';
import type { Coordination } from './state';

/** Who holds what, who waits for whom and why, what is kept back: a sentence each, for people. */
export function explain(now: Coordination): string[] {
  const { lever, locks, waiting, held } = now;
  const holders = Object.entries(locks).map(([scope, { run, trigger, precedence, since, yieldsTo }]) => {
    const yields = yieldsTo ? `; it was asked to make room for ${yieldsTo}` : '';
    return `${scope} is held by ${run} (${precedence}, started by ${trigger}) since ${since}${yields}`;
  });
  const waiters = waiting.map(({ scope, run, since, lent }) => {
    const inTheWay = claims(now).filter((other) => other.run !== run && overlap(other.scope, scope));
    const whom = inTheWay.map((other) => `${other.run} on ${other.scope}`).join(' and ');
    if (lent) return `${run} has lent ${scope}, and has it back once ${whom || 'it is told'} is over`;
    return `${run} waits for ${scope} since ${since}, until ${whom || 'it is told'} has made room`;
  });
  const inHand = claims(now).flatMap(({ run, inHand: places }) =>
    places ? [`${run} has ${places.join(' and ')} in hand: what fails there is its own doing`] : [],
  );
  return [
    ...(lever ? [`the safety lever is engaged by ${lever.by} since ${lever.since}: ${lever.reason}`] : []),
    ...holders,
    ...waiters,
    ...inHand,
    ...Object.values(held).map(
      ({ scope, alert }) => `${scope} has a fault that is kept until the lever is released: ${alert.summary}`,
    ),
  ];
}
