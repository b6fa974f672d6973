import { elapsed } from './report';

/** The title of the step in which a drill is judged, and in which all it saw is kept. */
export const JUDGED = 'Judge what was seen';

/** What a drill does to a node. */
export type DrillFault = 'kill' | 'hang';

/** What the drill's clients and probes saw within a tenth of a second or so. */
export interface Bucket {
  /** Its beginning, epoch ms. */
  at: number;
  ok: number;
  failed: number;
  /** The longest that a call took which was well answered, ms; 0 where none was. */
  slowestMs: number;
  /** How many nodes of the zone, spares included, answered a probe of their own; null where none was due. */
  serving: number | null;
}

/** What the drill's observer writes down: a program of its own, whatever becomes of workers. */
export interface DrillLedger {
  /** Width of the buckets, ms. */
  everyMs: number;
  buckets: Bucket[];
  sessionsLost: number;
  failures: Record<string, number>;
}

/** The fault as the program that injected it tells: when, and when it undoes it by itself; epoch ms. */
export interface Injected {
  at: number;
  until: number;
  /** When it was undone, and whether there was anything left to undo. */
  undoneAt?: number;
  found?: 'healed' | 'still broken';
}

/** What the run that started by itself says of itself. */
export interface RescueClaim {
  run: string;
  state: string;
  sentence: string;
  /** When anybody first saw the fault, epoch ms. */
  detectedAt?: number;
}

/** A window of an experiment. */
export interface Steady {
  calls: number;
  ok: number;
  failed: number;
  /** 0 to 1. */
  successRate: number;
  /** The longest call that was well answered, ms. */
  slowestMs: number;
  /** Nodes of the zone that answered throughout. */
  serving: number;
}

export interface Verdict {
  outcome: 'succeeded' | 'failed' | 'inconclusive';
  sentence: string;
  before?: Steady;
  after?: Steady;
  /** From the fault until clients were well served and the zone had all it had before, as the observer saw it; left out where it never was. */
  rtoMs?: number;
  recoveredAt?: number;
  detectedMs?: number;
  clientErrors: number;
  sessionsLost: number;
}

/** What is judged: all of it was seen from outside but `rescue`, which is never believed. */
export interface Experiment {
  ledger: DrillLedger;
  fault: Injected;
  rescue: RescueClaim | null;
  rtoMs: number;
}

/** What the step in which a drill is judged keeps: all that was seen, and what was made of it. */
export interface Judged {
  verdict: Verdict;
  experiment: Experiment;
}

/** Clients are well served from this share of calls on. */
const STEADY_RATE = 0.99;
/** Fewer calls than that prove nothing. */
const ENOUGH_CALLS = 10;

/**
 * The verdict of a drill. It passes where the zone, as the drill's own clients and probes have it, had everything back within the
 * objective, before the fault undid itself, and no session was lost. What the run that healed it says decides nothing but this: one that
 * says it has healed what is not healed makes the drill fail as a lie.
 */
export function judgeDrill({ ledger, fault, rescue, rtoMs: objective }: Experiment): Verdict {
  const { everyMs, sessionsLost } = ledger;
  const during = ledger.buckets.filter(({ at }) => at + everyMs > fault.at);
  const before = steady(ledger.buckets.filter(({ at }) => at + everyMs <= fault.at));
  const clientErrors = during.reduce((sum, { failed }) => sum + failed, 0);
  const seen = { ...(before ? { before } : {}), clientErrors, sessionsLost };
  if (!before || !isSteady(before)) {
    const rate = before ? `${percent(before.successRate)} of ${before.calls} calls` : 'no call';
    const sentence = `there was no steady state before the fault: ${rate} succeeded`;
    return { outcome: 'inconclusive', sentence, ...seen };
  }
  const detectedMs = rescue?.detectedAt === undefined ? {} : { detectedMs: rescue.detectedAt - fault.at };
  const broke = during.some(
    ({ serving, failed }) => failed > 0 || (serving !== null && serving < before.serving),
  );
  if (!broke) {
    const sentence = 'neither clients nor probes saw the fault: nothing was tried';
    return { outcome: 'inconclusive', sentence, ...seen, ...detectedMs };
  }
  const recoveredAt = recovery(during, { serving: before.serving, everyMs });
  if (recoveredAt === undefined || recoveredAt >= Math.min(fault.until, fault.undoneAt ?? Infinity)) {
    const sentence = unhealed(rescue, recoveredAt);
    return { outcome: 'failed', sentence, ...seen, ...detectedMs };
  }
  const after = steady(during.filter(({ at }) => at >= recoveredAt));
  const rtoMs = recoveredAt - fault.at;
  const all = { ...seen, ...detectedMs, ...(after ? { after } : {}), rtoMs, recoveredAt };
  const wrong = [
    ...(rtoMs > objective ? [`it took ${elapsed(rtoMs)}, the objective is ${elapsed(objective)}`] : []),
    ...(sessionsLost > 0 ? [`${sessionsLost} sessions were lost`] : []),
    ...(rescue === null ? ['no run answered it'] : []),
    ...(rescue && rescue.state !== 'recovered'
      ? [`${rescue.run} is ${rescue.state}: ${rescue.sentence}`]
      : []),
  ];
  const errors =
    clientErrors === 0
      ? 'no client noticed'
      : `clients saw ${clientErrors} error${clientErrors === 1 ? '' : 's'}`;
  if (wrong.length > 0) return { outcome: 'failed', sentence: `${wrong.join('; ')}; ${errors}`, ...all };
  const sentence = `healed by itself after ${elapsed(rtoMs)} (objective ${elapsed(objective)}); ${errors}, no session was lost`;
  return { outcome: 'succeeded', sentence, ...all };
}

/** Whether clients are well served, by what they have counted. */
export function isSteady({ ok, failed }: { ok: number; failed: number }): boolean {
  const calls = ok + failed;
  return calls >= ENOUGH_CALLS && ok / calls >= STEADY_RATE;
}

function steady(buckets: readonly Bucket[]): Steady | undefined {
  const calls = buckets.reduce((sum, { ok, failed }) => sum + ok + failed, 0);
  const probed = buckets.flatMap(({ serving }) => (serving === null ? [] : [serving]));
  if (calls === 0 || probed.length === 0) return undefined;
  const ok = buckets.reduce((sum, bucket) => sum + bucket.ok, 0);
  return {
    calls,
    ok,
    failed: calls - ok,
    successRate: ok / calls,
    slowestMs: Math.max(...buckets.map(({ slowestMs }) => slowestMs)),
    serving: Math.min(...probed),
  };
}

/** When all was well for good: behind the last bucket in which a call failed or a node was missing. Undefined where that is the end. */
function recovery(during: readonly Bucket[], { serving, everyMs }: { serving: number; everyMs: number }) {
  const isIll = (bucket: Bucket) =>
    bucket.failed > 0 || (bucket.serving !== null && bucket.serving < serving);
  const last = during.findLastIndex(isIll);
  // Ill until the next probe has found it well.
  const well = during.slice(last + 1).find((bucket) => bucket.serving !== null);
  return well && Math.max(well.at, during[last]!.at + everyMs);
}

function unhealed(rescue: RescueClaim | null, recoveredAt: number | undefined): string {
  const healed =
    recoveredAt === undefined ? 'was not healed' : 'was healed by nobody until the fault undid itself';
  if (!rescue) return `it ${healed}: no run answered it`;
  if (rescue.state === 'recovered' || rescue.state === 'succeeded')
    return `it ${healed}, although ${rescue.run} says that it is ${rescue.state}: ${rescue.sentence}`;
  return `it ${healed}: ${rescue.run} is ${rescue.state}: ${rescue.sentence}`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** What the observer is told, a line of JSON: clients on `url`, and probes of every node of the zone. */
export interface ObserveTask {
  key: string;
  url: string;
  /** host:port of each node, spares included. */
  probes: string[];
  clients: number;
  perClient: number;
  /** It ends by itself after this long, ms. */
  forMs: number;
}

/** What the program that breaks a node is told, a line of JSON. */
export interface BreakTask {
  key: string;
  fault: DrillFault;
  /** The supervisor's name of the node's program, and its process. */
  program: string;
  pid: number;
  /** The nodes of its zone; while fewer than `serving` of them serve, its fault is not made good. */
  probes: string[];
  serving: number;
  /** It undoes the fault by itself after this long, ms. */
  forMs: number;
}

/** A line that either program prints; `key` is that of its task. */
export type Told<What> = { key: string } & Partial<What>;

/** What the observer prints each second, and at its end. */
export interface Observed {
  seen: { ok: number; failed: number };
  ledger: DrillLedger;
}
