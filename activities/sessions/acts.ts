import type { Deed, Intent, Refusal } from '../../core/run';
import { bucketsOf, movesOf, type Transfer } from '../../core/transfers';
import type { BucketMove } from '../../core/placement';
import { findNode } from '../../core/topology';
import type { Deps } from '../deps';
import { ensure } from '../ensure';
import type { Bucket } from '../ports';
import { servingIn } from './serving';

/** Buckets, and the sessions in them. */
interface Holding {
  buckets: number;
  sessions: number;
}

/** What was seen of buckets that move: how many are still with those who give, how many with those who receive. */
export interface Whereabouts {
  given: Holding;
  received: Holding;
  /** Sessions whose records were found gone when they were moved. */
  lost: number;
  /** The newest stamp of those received, ms of the store's clock; 0 while there are none. */
  movedAt: number;
}

/** Buckets to be moved. */
export interface Transferring {
  transfers: readonly Transfer[];
  /** Nodes that the run is bringing into service: to receive they need only be healthy, in a plan not even that. */
  arriving?: readonly string[];
  how: Intent;
}

/** Changes to where buckets of sessions are. Each looks first and does nothing where the world is as wanted. */
export function sessionActs(deps: Deps) {
  const { sessions } = deps;

  /** A move with the bucket as it is now. */
  const look = async (moves: readonly BucketMove[]): Promise<{ move: BucketMove; now: Bucket }[]> => {
    const buckets = await sessions.buckets();
    return moves.map((move) => ({ move, now: buckets[move.bucket]! }));
  };

  return {
    /**
     * Moves buckets, all in one moment. One that somebody else has moved meanwhile is left where it is.
     * @throws GUARD_REFUSED where a node that is to receive no longer serves
     */
    async transferSessions({ transfers, arriving = [], how }: Transferring): Promise<Deed<Whereabouts>> {
      const moves = movesOf(transfers);
      const receivers = [...new Set(moves.map(({ to }) => to))];
      const healthy = how.mode === 'plan' ? arriving : await healthyOf(deps, arriving);
      const asked = receivers.filter((node) => !healthy.includes(node));
      let lost = 0;
      const deed = await ensure(how, {
        look: async () => ({
          whereabouts: { ...whereaboutsOf(await look(moves)), lost },
          away: await notServing(deps, asked),
        }),
        already: ({ whereabouts: { given, received } }) =>
          given.buckets === 0 ? `${received.buckets} of ${moves.length} buckets are there already` : null,
        refuse: ({ away }): Refusal | null =>
          away.length === 0
            ? null
            : {
                guard: 'receivers serve',
                sentence: `${away.join(', ')} cannot take sessions: no longer in service`,
              },
        intention: ({ whereabouts: { given } }) =>
          `move ${given.buckets} buckets with ${given.sessions} sessions to ${receivers.length} nodes`,
        act: async () => void ({ lost } = await sessions.place(moves)),
        done: (before, { whereabouts: { received } }) =>
          `${received.buckets} of ${moves.length} buckets moved with ${received.sessions} sessions, ${lost} lost`,
      });
      const { before, after, ...rest } = deed;
      return {
        ...rest,
        ...(before && { before: before.whereabouts }),
        ...(after && { after: after.whereabouts }),
      };
    },

    /**
     * Undo of {@link transferSessions}: gives the buckets back that nobody has moved since.
     * @param asked.movedAt the stamp they were moved with; undefined where the act never told: then whoever moved them
     */
    async transferBack(asked: Transferring & { movedAt: number | undefined }): Promise<Deed<Holding>> {
      const { transfers, how, movedAt = Number.POSITIVE_INFINITY } = asked;
      const moves = movesOf(transfers);
      const due = async () =>
        (await look(moves)).filter(({ move, now }) => now.owner === move.to && now.stamp <= movedAt);
      const total = bucketsOf(transfers);
      return ensure(how, {
        look: async () => holding((await due()).map(({ now }) => now)),
        already: ({ buckets }) => (buckets === 0 ? `none of ${total} buckets has to go back` : null),
        intention: ({ buckets }) => `move ${buckets} buckets back`,
        act: async () => {
          const back = (await due()).map(({ move, now }) => ({
            bucket: move.bucket,
            from: move.to,
            to: move.from,
            stamp: now.stamp,
          }));
          await sessions.place(back);
        },
        done: ({ buckets, sessions: moved }) =>
          `${buckets} of ${total} buckets moved back with ${moved} sessions`,
      });
    },
  };
}

function whereaboutsOf(seen: readonly { move: BucketMove; now: Bucket }[]): Omit<Whereabouts, 'lost'> {
  const withOwner = (whose: 'from' | 'to'): Bucket[] =>
    seen.filter(({ move, now }) => now.owner === move[whose]).map(({ now }) => now);
  const received = withOwner('to');
  return {
    given: holding(withOwner('from')),
    received: holding(received),
    movedAt: Math.max(0, ...received.map(({ stamp }) => stamp)),
  };
}

function holding(buckets: readonly Bucket[]): Holding {
  return { buckets: buckets.length, sessions: buckets.reduce((sum, { sessions }) => sum + sessions, 0) };
}

async function healthyOf({ config, prober }: Deps, nodes: readonly string[]): Promise<string[]> {
  const probes = await Promise.all(nodes.map((node) => prober.health(findNode(config, node).address)));
  return nodes.filter((_, i) => probes[i]!.ok);
}

/** Those of the nodes that their load balancers do not say to serve. */
async function notServing(deps: Deps, nodes: readonly string[]): Promise<string[]> {
  const regions = [...new Set(nodes.map((node) => node.split('/', 1)[0]!))];
  const serving = (await Promise.all(regions.map((region) => servingIn(deps, region)))).flat();
  return nodes.filter((node) => !serving.some(({ id }) => id === node));
}
