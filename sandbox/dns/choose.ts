import type { ResourceRecordSet } from '@aws-sdk/client-route-53';

/** Who asks, and what is known about those that could be named. */
export interface Asker {
  /** The region it asks from; undefined where its address is of none. */
  region?: string | undefined;
  /** Whether the health check with this id is passed. */
  healthy: (check: string) => boolean;
  /** 0 to below 1. */
  random: () => number;
}

type Sets = readonly ResourceRecordSet[];

/** Most sets that are answered where several are wanted. */
const MULTIVALUE = 8;

/** What a request between two regions takes, ms; the order counts. */
const LATENCY_MS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  'us-east-1': { 'us-east-1': 1, 'eu-central-1': 90, 'ap-southeast-1': 220 },
  'eu-central-1': { 'us-east-1': 90, 'eu-central-1': 1, 'ap-southeast-1': 160 },
  'ap-southeast-1': { 'us-east-1': 220, 'eu-central-1': 160, 'ap-southeast-1': 1 },
};

/**
 * The record sets that are answered out of those of one name and type, by Route 53's rules. A set without a health check is
 * healthy. Unhealthy ones are left out; where all are, they are taken for healthy, because a wrong answer is better than none.
 */
export function choose(sets: Sets, asker: Asker): Sets {
  const well = sets.filter(({ HealthCheckId: check }) => check === undefined || asker.healthy(check));
  const [first] = sets;
  if (first?.Failover) return failover(sets, well);
  const pool = well.length > 0 ? well : sets;
  if (first?.Weight !== undefined) return weighted(pool, asker);
  if (first?.Region) return nearest(pool, asker);
  if (first?.MultiValueAnswer) return several(pool, asker);
  return sets.slice(0, 1);
}

/** The primary unless it alone is unhealthy. */
function failover(sets: Sets, well: Sets): Sets {
  const of = (role: string, among: Sets) => among.filter(({ Failover }) => Failover === role).slice(0, 1);
  return (
    [of('PRIMARY', well), of('SECONDARY', well), of('PRIMARY', sets)].find(({ length }) => length > 0) ?? []
  );
}

/** Sets of weight 0 count only where no other is left, and then all the same. */
function weighted(pool: Sets, { random }: Asker): Sets {
  const total = pool.reduce((sum, { Weight = 0 }) => sum + Weight, 0);
  if (total === 0) return pool.slice(Math.floor(random() * pool.length)).slice(0, 1);
  let left = random() * total;
  return pool.filter(({ Weight = 0 }) => Weight > 0 && (left -= Weight) < 0).slice(0, 1);
}

/** The one whose region is the nearest; of nobody's region the first. */
function nearest(pool: Sets, { region }: Asker): Sets {
  const from = LATENCY_MS[region ?? ''] ?? {};
  return pool
    .toSorted((a, b) => (from[a.Region ?? ''] ?? Infinity) - (from[b.Region ?? ''] ?? Infinity) || 0)
    .slice(0, 1);
}

function several(pool: Sets, { random }: Asker): Sets {
  return pool
    .map((set) => ({ set, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ set }) => set)
    .slice(0, MULTIVALUE);
}
