/**
 * The name by which clients find a region: one weighted record set a region (REQUIREMENTS T2, F3). Pure rules; who looks and changes
 * is activities/adapters/route53.ts.
 */

/** A region's record set. */
export interface DnsRecord {
  region: string;
  /** 0 to 255; its share is this of the sum of all. */
  weight: number;
  addresses: readonly string[];
  /** The id of the health check without which it is not answered. */
  healthCheck?: string;
}

/** The name as its zone has it. */
export interface DnsView {
  /** `fleet.mcp.test.` */
  name: string;
  /** How long clients may keep an answer, s: the longest of all record sets. */
  ttlS: number;
  records: readonly DnsRecord[];
}

/** What a nameserver answered when it was asked several times. */
export interface ServerAnswers {
  /** host:port */
  server: string;
  asked: number;
  /** How often each address was answered. */
  addresses: Readonly<Record<string, number>>;
  /** The longest time for which it let an answer be kept, s; undefined where nothing was answered. */
  ttlS?: number;
  /** `20 of 20 answered` · `no answer within 1000 ms` … */
  said: string;
}

/** Weights by region; a region that is left out keeps its own. */
export type Weights = Readonly<Record<string, number>>;

/** A region whose weight changes. */
export interface WeightChange {
  region: string;
  from: number;
  to: number;
}

/** The highest weight that Route 53 takes. */
export const MAX_WEIGHT = 255;

/** What would have to change for these weights, in the order of the record sets; empty where the name has them. */
export function weightChanges(view: DnsView, wanted: Weights): WeightChange[] {
  return view.records.flatMap(({ region, weight }) => {
    const to = wanted[region] ?? weight;
    return to === weight ? [] : [{ region, from: weight, to }];
  });
}

/** `us-east-1 40→0, eu-central-1 35→70` */
export function inWords(changes: readonly WeightChange[]): string {
  return changes.map(({ region, from, to }) => `${region} ${from}→${to}`).join(', ');
}

/** `us-east-1 40, eu-central-1 35` */
export function weightsInWords(view: DnsView): string {
  return view.records.map(({ region, weight }) => `${region} ${weight}`).join(', ');
}

/** The weights as they are. */
export function weightsOf(view: DnsView): Record<string, number> {
  return Object.fromEntries(view.records.map(({ region, weight }) => [region, weight]));
}

/** The view once it has these weights. */
export function withWeights(view: DnsView, wanted: Weights): DnsView {
  return {
    ...view,
    records: view.records.map((one) => ({ ...one, weight: wanted[one.region] ?? one.weight })),
  };
}

/**
 * Everything that makes these weights none that the name could have, one sentence each; an emulator takes what Route 53 refuses,
 * and Route 53 takes what leaves the choice of region to chance: the weights of all regions at 0 mean equal shares.
 */
export function weightProblems(view: DnsView, wanted: Weights): string[] {
  const known = view.records.map(({ region }) => region);
  const twice = known.filter((region, index) => known.indexOf(region) !== index);
  const strangers = Object.keys(wanted).filter((region) => !known.includes(region));
  const wrong = Object.entries(wanted).filter(([, weight]) => !isWeight(weight));
  const after = withWeights(view, wanted).records;
  return [
    ...[...new Set(twice)].map((region) => `${view.name} has several record sets for ${region}`),
    ...strangers.map(
      (region) => `${view.name} has no record set for "${region}"; there are ${known.join(', ') || 'none'}`,
    ),
    ...wrong.map(
      ([region, weight]) =>
        `the weight of ${region} must be a whole number from 0 to ${MAX_WEIGHT}, not ${weight}`,
    ),
    ...(after.some(({ weight }) => weight > 0)
      ? []
      : [`no region of ${view.name} would have a weight above 0`]),
  ];
}

function isWeight(weight: number): boolean {
  return Number.isInteger(weight) && weight >= 0 && weight <= MAX_WEIGHT;
}

/** Regions that may be answered, as long as one of them is healthy: those with a weight above 0. */
export function mayAnswer(view: DnsView): string[] {
  return view.records.flatMap(({ region, weight }) => (weight > 0 ? [region] : []));
}

/** What the nameservers' answers come to, held against the weights. */
export interface AnswersVerdict {
  /** Every nameserver answered, and only with regions that may be answered. */
  ok: boolean;
  /** Some nameserver answered with another one. */
  wrong: boolean;
  /** Why, in a sentence. */
  said: string;
  /** How often each region was answered, by all nameservers together. */
  regions: Record<string, number>;
  /** The longest time for which an answer may be kept, s. */
  ttlS: number;
}

export function judgeAnswers(view: DnsView, answers: readonly ServerAnswers[]): AnswersVerdict {
  const allowed = mayAnswer(view);
  const named = answers.flatMap(({ server, addresses }) =>
    Object.entries(addresses).map(([address, times]) => ({
      server,
      region: regionAt(view, address) ?? address,
      times,
    })),
  );
  const regions: Record<string, number> = {};
  for (const { region, times } of named) regions[region] = (regions[region] ?? 0) + times;
  const wrong = named
    .filter(({ region }) => !allowed.includes(region))
    .map(({ server, region, times }) => `${server} answers ${region} (${often(times)})`);
  const silent = answers
    .filter(({ server }) => !named.some((one) => one.server === server))
    .map(({ server, said }) => `${server} does not answer (${said})`);
  const ok = wrong.length + silent.length === 0 && answers.length > 0;
  return {
    ok,
    wrong: wrong.length > 0,
    said: ok ? agreement(view, answers, regions) : [...wrong, ...silent].join('; '),
    regions,
    ttlS: Math.max(view.ttlS, ...answers.map(({ ttlS }) => ttlS ?? 0)),
  };
}

function agreement({ name }: DnsView, answers: readonly unknown[], regions: Record<string, number>): string {
  const counts = Object.entries(regions).map(([region, times]) => `${region} (${often(times)})`);
  const who = answers.length === 1 ? 'its nameserver answers' : `all ${answers.length} nameservers answer`;
  return `${who} ${name} with ${counts.join(', ')} and nothing else`;
}

function often(times: number): string {
  return times === 1 ? 'once' : `${times} times`;
}

/** Whose address this is; undefined of one that no record set has. */
export function regionAt(view: DnsView, address: string): string | undefined {
  return view.records.find(({ addresses }) => addresses.includes(address))?.region;
}
