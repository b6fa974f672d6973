/**
 * Who takes the traffic of regions that are left (REQUIREMENTS F3, F4). Pure rules: shares of the world in percent by region, nodes that
 * have to serve for them, and what is missing.
 */

/** A region that may take traffic. */
export interface Receiver {
  region: string;
  /** Its share of the world now, in any unit. */
  weight: number;
  /** Nodes that serve. */
  serving: number;
  /** Nodes that are installed and stopped. */
  spares: string[];
  /** The most requests in any second at its load balancer; null where nobody knows. */
  peakPerS: number | null;
}

/** How the world is shared once regions are left. */
export interface Share {
  /** Percent by region, 100 in all; 0 for those that are left. */
  weights: Record<string, number>;
  /** Spares to be started first. */
  start: string[];
  /** Regions that cannot bear their share even then. */
  strained: string[];
  /** Why so, in a sentence. */
  said: string;
}

/** What decides about the shares. */
export interface Sharing {
  /** The regions that are left, and their share of the world now, all together, in the unit of the receivers'. */
  leaving: { regions: readonly string[]; weight: number };
  receivers: readonly Receiver[];
  /** Who takes how much by plan, percent by region; those that do not serve take nothing. Default: as the weights are. */
  preferred?: Readonly<Record<string, number>> | undefined;
  /** Requests a second that one node bears. */
  nodeCapacity: number;
}

/**
 * The shares as they are laid down, as long as everybody can bear theirs with their spares started; else by what each can bear, so that
 * nobody is overrun while another has room. The load to be borne is estimated from what the receivers have borne: their measured
 * peaks, by their share of the world.
 */
export function shareOut({ leaving, receivers, preferred, nodeCapacity }: Sharing): Share {
  const able = receivers.filter(({ serving, spares }) => serving + spares.length > 0);
  const asPlanned = percentages(
    able,
    ({ region, weight }) => preferred?.[region] ?? (preferred ? 0 : weight),
  );
  const load = worldPeak(receivers, leaving.weight);
  const needed = (share: Readonly<Record<string, number>>, { region }: Receiver): number =>
    load === null ? 0 : Math.ceil((load * (share[region] ?? 0)) / 100 / nodeCapacity);
  const short = (share: Readonly<Record<string, number>>): Receiver[] =>
    able.filter((one) => needed(share, one) > one.serving + one.spares.length);
  const strains = short(asPlanned).length > 0;
  const share = strains ? percentages(able, ({ serving, spares }) => serving + spares.length) : asPlanned;
  const start = able.flatMap((one) => one.spares.slice(0, Math.max(0, needed(share, one) - one.serving)));
  return {
    weights: { ...Object.fromEntries(leaving.regions.map((region) => [region, 0])), ...share },
    start,
    strained: short(share).map(({ region }) => region),
    said: [
      Object.entries(share)
        .map(([region, percent]) => `${region} ${percent} %`)
        .join(', '),
      load === null ? 'the peak of the world is not known' : `for a peak of ${Math.round(load)} requests/s`,
      ...(strains
        ? [
            `shared by capacity, because ${short(asPlanned)
              .map((one) => one.region)
              .join(' and ')} cannot bear what was planned`,
          ]
        : []),
    ].join('; '),
  };
}

/** What the whole world has asked for at its peak, requests a second; null where nobody can tell. */
function worldPeak(receivers: readonly Receiver[], leavingWeight: number): number | null {
  const known = receivers.filter(({ weight, peakPerS }) => weight > 0 && peakPerS !== null);
  const share = sum(known, ({ weight }) => weight);
  const world = leavingWeight + sum(receivers, ({ weight }) => weight);
  return share === 0 ? null : (sum(known, ({ peakPerS }) => peakPerS!) * world) / share;
}

/** Whole percents by region, 100 in all, as near to these parts as whole numbers can be; equal where all parts are 0. */
function percentages(
  receivers: readonly Receiver[],
  part: (receiver: Receiver) => number,
): Record<string, number> {
  const total = sum(receivers, part);
  const exact = receivers.map((one) => ({
    region: one.region,
    share: total === 0 ? 100 / receivers.length : (100 * part(one)) / total,
  }));
  const floors = exact.map(({ region, share }) => ({ region, share, percent: Math.floor(share) }));
  const left = 100 - sum(floors, ({ percent }) => percent);
  const closest = floors.toSorted((a, b) => b.share - b.percent - (a.share - a.percent)).slice(0, left);
  return Object.fromEntries(floors.map((one) => [one.region, one.percent + (closest.includes(one) ? 1 : 0)]));
}

function sum<T>(things: readonly T[], value: (thing: T) => number): number {
  return things.reduce((total, thing) => total + value(thing), 0);
}
