import { parseNode } from './scope';

/**
 * Deploys as pure rules (REQUIREMENTS D1, D3): in which order nodes get a release, how many at once, and when a release has shown
 * itself worse than the one before it.
 */

/** How a node with a release proves itself where a run lays nothing down (REQUIREMENTS D1): how long it has, and how often again. */
export const PROVING = { within: '5s', retries: 3 };

/** What a pool has to spare. */
export interface Spare {
  /** Members that serve, and all there are. */
  serving: number;
  members: number;
  /** 0 to 1: share of the pool that has to stay in service. */
  minimumShare: number;
  /** Requests a second at the measured peak; null where nobody knows. */
  peakPerS: number | null;
  /** Requests a second that one member bears. */
  memberCapacity: number;
}

/**
 * How many of those that serve may be out at once by plan. Where more than one may, one of them is left in: a node that fails
 * meanwhile must not find its rescue refused because too few would be left.
 */
export function roomFor({ serving, members, minimumShare, peakPerS, memberCapacity }: Spare): number {
  const needed = Math.max(1, Math.ceil(members * minimumShare), Math.ceil((peakPerS ?? 0) / memberCapacity));
  const free = serving - needed;
  return Math.max(0, free > 1 ? free - 1 : free);
}

/**
 * Nodes of a region in the order in which they get a release: one of each zone in turn, so that no zone is emptied before the
 * others have begun.
 */
export function inTurns(nodes: readonly string[]): string[] {
  const before = new Map<string, number>();
  const turns = nodes.map((node) => {
    const zone = parseNode(node)?.zone ?? '';
    const turn = before.get(zone) ?? 0;
    before.set(zone, turn + 1);
    return { node, turn };
  });
  return turns.toSorted((one, other) => one.turn - other.turn).map(({ node }) => node);
}

/** The two sides of a blue-green deploy: who has the new release, and who has the old one. Nodes, or their servers. */
export interface Sides {
  green: string[];
  blue: string[];
}

/** The two sides of a blue-green deploy: half of the nodes of each zone, the smaller half of all if they are odd, get the release first. */
export function halves(nodes: readonly string[]): Sides {
  const turns = inTurns(nodes);
  const half = Math.floor(turns.length / 2);
  return { green: turns.slice(0, half), blue: turns.slice(half) };
}

/**
 * The weight, percent of a node's own, at which the nodes of one side together get this share of the traffic, and that of the others.
 * One of both is 100: nobody has less than he must.
 * @param share percent, 0 to 100
 */
export function weightsFor(share: number, green: number, blue: number): { green: number; blue: number } {
  if (share <= 0) return { green: 0, blue: 100 };
  if (share >= 100) return { green: 100, blue: 0 };
  const ratio = (share * blue) / ((100 - share) * green);
  const least = (part: number) => Math.max(1, Math.round(100 * part));
  return ratio <= 1 ? { green: least(ratio), blue: 100 } : { green: 100, blue: least(1 / ratio) };
}

/** A client, the server to which the load balancer sends what it asks, and for how long it has not asked, ms. */
export interface Binding {
  client: string;
  server: string;
  idleMs: number;
}

/** A client that has not asked for so long, ms, is none that a release could prove itself on. */
const IDLE_MS = 60_000;
/** So far from the share, of all clients, is close enough: others come and go meanwhile. */
const TOLERANCE = 0.05;

/** How many of the clients of both sides should be on the green one, and how many are; and the ones of each that could be moved. */
function sharing(bound: readonly Binding[], { green, blue }: Sides, share: number) {
  const whole = share <= 0 || share >= 100;
  const counted = bound.filter(({ idleMs }) => whole || idleMs <= IDLE_MS);
  const on = (side: readonly string[]) => counted.filter(({ server }) => side.includes(server));
  const [greens, blues] = [on(green), on(blue)];
  const all = greens.length + blues.length;
  const wanted = whole ? (share > 0 ? all : 0) : Math.max(Math.min(1, all), Math.round((all * share) / 100));
  return { greens, blues, wanted, tolerance: whole ? 0 : Math.max(1, all * TOLERANCE) };
}

/**
 * Whether this share of the clients of both sides, percent, is bound to the green one, as far as there is somebody to lead them to. Of
 * some clients it is never nobody.
 */
export function isLed(bound: readonly Binding[], sides: Sides, share: number): boolean {
  const { greens, wanted, tolerance } = sharing(bound, sides, share);
  const missing = wanted - greens.length;
  if ((missing > 0 ? sides.green : sides.blue).length === 0) return true;
  return Math.abs(missing) <= tolerance && (wanted === 0 || greens.length > 0);
}

/**
 * The clients that have to be bound elsewhere so that this share of those of both sides, percent, is on the green one: sessions live long, so
 * that weights alone, which lead only new ones, would prove a release on nobody. The lately active go first, spread over the other side.
 */
export function toLead(
  bound: readonly Binding[],
  sides: Sides,
  share: number,
): Pick<Binding, 'client' | 'server'>[] {
  const { greens, blues, wanted } = sharing(bound, sides, share);
  const missing = wanted - greens.length;
  const [from, to] = missing > 0 ? [blues, sides.green] : [greens, sides.blue];
  if (to.length === 0) return [];
  return from
    .toSorted((one, other) => one.idleMs - other.idleMs)
    .slice(0, Math.abs(missing))
    .map(({ client }, i) => ({ client, server: to[i % to.length]! }));
}

/** What was measured of the nodes with one release; null where there is nothing to tell. */
export interface Measured {
  errors: number | null;
  p99Ms: number | null;
}

/** What a release may do worse at all before it is compared. */
export interface Limits {
  /** Share of failed calls, 0 to 1. */
  errors: number;
  p99Ms: number;
}

/** How much worse than the one before a release has to be. Less is chance. */
const FACTOR = 2;

/**
 * Why a release is worse than the one before it, or null: beyond what it may do at all, and twice as bad as `old` at the same time.
 * Where nobody runs the old one any more only the first is asked.
 */
export function worse(fresh: Measured, old: Measured, { errors, p99Ms }: Limits): string | null {
  const beyond = (now: number | null, then: number | null, limit: number): boolean =>
    now !== null && now > limit && now > FACTOR * (then ?? 0);
  if (beyond(fresh.errors, old.errors, errors))
    return `${percent(fresh.errors)} of its calls fail, against ${percent(old.errors)} before; ${percent(errors)} may`;
  if (beyond(fresh.p99Ms, old.p99Ms, p99Ms))
    return `its P99 is ${ms(fresh.p99Ms)}, against ${ms(old.p99Ms)} before; ${ms(p99Ms)} may be`;
  return null;
}

/** What was measured, in words. */
export function measured({ errors, p99Ms }: Measured): string {
  return errors === null ? 'no calls' : `${percent(errors)} failed, P99 ${ms(p99Ms)}`;
}

function percent(share: number | null): string {
  return share === null ? 'none' : `${Number((share * 100).toFixed(1))} %`;
}

function ms(time: number | null): string {
  return time === null ? 'unknown' : `${Math.round(time)} ms`;
}
