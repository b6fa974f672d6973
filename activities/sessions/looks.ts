import { SwitchoverError } from '../../core/errors';
import { whyNot } from '../../core/guards';
import { Placement, candidatesOf, type BucketMove } from '../../core/placement';
import type { Finding } from '../../core/run';
import { liesIn } from '../../core/scope';
import { bucketsOf, transfersOf, type Transfer } from '../../core/transfers';
import { findNode, nodesOf, regionConfig } from '../../core/topology';
import type { Deps } from '../deps';
import type { Bucket } from '../ports';
import { servingIn } from './serving';
import { requireAllowed } from '../require-allowed';

/** Which buckets ought to move, and how many sessions are in them. */
export interface Intended {
  sessions: number;
  transfers: Transfer[];
}

/** Migrated sessions must be more than this share of them (REQUIREMENTS F8). */
const MINIMUM_RATE = 0.95;

/** Reads about where sessions are. None of them changes anything. */
export function sessionLooks(deps: Deps) {
  const { config, sessions } = deps;

  /** What belongs to the region's nodes, those that arrive counted as serving, and is not there; `whose`: nodes meant. */
  const belonging = async (
    region: string,
    arriving: readonly string[],
    whose: (node: string) => boolean,
  ): Promise<{ receivers: string[]; value: Intended }> => {
    const serve = (await servingIn(deps, region)).map(({ id }) => id);
    const receivers = [...new Set([...serve, ...arriving])];
    const candidates = candidatesOf(config, receivers);
    const elsewhere = candidates.filter((one) => one.region !== region).map(({ id }) => id);
    const seen = await sessions.buckets();
    const moves = new Placement(candidates).moves(seen, new Set([...receivers, ...elsewhere]));
    const due = moves.filter(({ to }) => whose(to));
    return { receivers, value: intended(seen, due) };
  };

  /** Which node of the region takes each bucket of nodes that leave. `to`: who could. @throws GUARD_REFUSED where nobody can */
  const leaving = async (
    nodes: readonly string[],
    to: readonly string[],
    whose: string,
  ): Promise<Finding<Intended>> => {
    const receivers = new Set(to.filter((node) => !nodes.includes(node)));
    const [region] = nodes[0]!.split('/', 1);
    if (receivers.size === 0)
      throw new SwitchoverError(
        'GUARD_REFUSED',
        `receivers serve: no other node of ${region} does, to take the sessions of ${whose}`,
      );
    const theirs = (await sessions.buckets()).filter(({ owner }) => nodes.includes(owner));
    const value = intended(
      theirs,
      new Placement(candidatesOf(config, [...receivers])).moves(theirs, receivers),
    );
    return {
      sentence: `${whose} ${nodes.length === 1 ? 'owns' : 'own'} ${value.sessions} sessions in ${theirs.length} buckets; ${receivers.size} other nodes of ${region} serve`,
      value,
    };
  };

  return {
    /**
     * What it would take to give the sessions of a place (region, zone, node) to another: each bucket to the first in its
     * ranking that serves there.
     * @throws UNKNOWN_TARGET · GUARD_REFUSED where the other place cannot take them
     */
    async lookAtMigration({ from, to }: { from: string; to: string }): Promise<Finding<Intended>> {
      for (const place of [from, to]) knowPlace(deps, place);
      const receivers = await servingIn(deps, to);
      const inService = nodesOf(config, to.split('/', 1)[0]!).filter(
        ({ id, spare }) => id === to || (liesIn(id, to) && !spare),
      );
      const refusal = whyNot('move sessions', {
        from,
        to,
        serving: receivers.length,
        of: inService.length,
        minimumShare: config.policies.minimumHealthyShare,
      });
      requireAllowed(refusal);
      const ids = receivers.map(({ id }) => id);
      const theirs = (await sessions.buckets()).filter(({ owner }) => liesIn(owner, from));
      const value = intended(theirs, new Placement(candidatesOf(config, ids)).moves(theirs, new Set(ids)));
      const owned = `${from} owns ${value.sessions} sessions in ${bucketsOf(value.transfers)} buckets`;
      return { sentence: `${owned}; ${receivers.length} nodes of ${to} serve`, value };
    },

    /**
     * Which buckets a region's serving nodes ought to have and have not. Other regions are taken to be whole, so buckets
     * that another region will want back stay where they are.
     */
    async lookAtBalance({ region }: { region: string }): Promise<Finding<Intended>> {
      const { receivers, value } = await belonging(region, [], (node) => liesIn(node, region));
      const buckets = bucketsOf(value.transfers);
      return {
        sentence:
          buckets === 0
            ? `every bucket of ${region} is where it belongs`
            : `${buckets} buckets with ${value.sessions} sessions belong elsewhere among the ${receivers.length} nodes of ${region} that serve`,
        value,
      };
    },

    /** Which buckets ought to come to these nodes of a region once they serve. Other nodes' buckets stay where they are. */
    async lookAtShare({ region, nodes }: { region: string; nodes: string[] }): Promise<Finding<Intended>> {
      const { value } = await belonging(region, nodes, (node) => nodes.includes(node));
      const buckets = bucketsOf(value.transfers);
      const whom = nodes.length === 1 ? nodes[0] : `${nodes.length} nodes of ${region}`;
      const share = `${buckets} buckets with ${value.sessions} sessions belong to ${whom} and are elsewhere`;
      return { sentence: buckets === 0 ? `every bucket of ${whom} is there` : share, value };
    },

    /**
     * Which node of its region takes each bucket of a node that leaves. `instead`: a node that serves by then.
     * @throws GUARD_REFUSED where nobody can
     */
    async lookAtLeaving({
      node,
      instead,
    }: {
      node: string;
      instead?: string | undefined;
    }): Promise<Finding<Intended>> {
      const { region } = findNode(config, node);
      const serve = (await servingIn(deps, region)).map(({ id }) => id);
      return leaving([node], [...serve, ...(instead === undefined ? [] : [instead])], node);
    },

    /** The same for several nodes of a region that leave together for a while. @throws GUARD_REFUSED where nobody can take them */
    async lookAtBatchLeaving({
      region,
      nodes,
    }: {
      region: string;
      nodes: string[];
    }): Promise<Finding<Intended>> {
      const serve = (await servingIn(deps, region)).map(({ id }) => id);
      return leaving(nodes, serve, nodes.length === 1 ? nodes[0]! : `${nodes.length} nodes`);
    },

    /**
     * Counts the sessions of buckets that were moved, all in one moment. `lost`: those already seen to be lost.
     * @throws VERIFY_FAILED unless more than 95 % of them are where they were moved to (F8)
     */
    async countTransferred({
      transfers,
      lost,
    }: {
      transfers: readonly Transfer[];
      lost: number;
    }): Promise<Finding<{ sessions: number; there: number; at: string }>> {
      const target = new Map(
        transfers.flatMap(({ to, buckets }) => buckets.map((one) => [one, to] as const)),
      );
      const seen = (await sessions.buckets()).filter(({ bucket }) => target.has(bucket));
      const all = sessionsIn(seen) + lost;
      const there = sessionsIn(seen, ({ bucket, owner }) => target.get(bucket) === owner);
      const rate = all === 0 ? 1 : there / all;
      const sentence = `${there} of ${all} sessions are where they were moved to (${(rate * 100).toFixed(1)} %)`;
      if (rate <= MINIMUM_RATE) throw new SwitchoverError('VERIFY_FAILED', `only ${sentence}`);
      return { sentence, value: { sessions: all, there, at: new Date().toISOString() } };
    },
  };
}

export function intended(seen: readonly Bucket[], moves: readonly BucketMove[]): Intended {
  const moving = new Set(moves.map(({ bucket }) => bucket));
  return { sessions: sessionsIn(seen, ({ bucket }) => moving.has(bucket)), transfers: transfersOf(moves) };
}

function sessionsIn(buckets: readonly Bucket[], which: (bucket: Bucket) => boolean = () => true): number {
  return buckets.filter(which).reduce((sum, { sessions }) => sum + sessions, 0);
}

/** @throws UNKNOWN_TARGET unless the path names a region, a zone or a node of the environment */
function knowPlace({ config }: Deps, place: string): void {
  const [region = '', zone, node] = place.split('/');
  const { zones } = regionConfig(config, region);
  if (node !== undefined) findNode(config, place);
  else if (zone !== undefined && !zones[zone])
    throw new SwitchoverError(
      'UNKNOWN_TARGET',
      `"${place}" is not a zone of environment ${config.environment}; there are ${Object.keys(zones).join(', ')}`,
    );
}
