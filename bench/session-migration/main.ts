import { setTimeout as pause } from 'node:timers/promises';
import { max, quantile } from 'simple-statistics';
import { benchmark, type BenchOptions } from '../lib/benchmark';
import { withRedis } from '../lib/redis';
import type { BenchReport, Row } from '../lib/report';
import { say } from '../lib/sandbox';
import { ratio, summarize } from '../lib/summary';
import { BUCKETS } from './buckets';
import { SESSIONS, type Contender, type Mover } from './crowd';
import { NAIVE } from './naive';
import { Witness } from './witness';

/** F8: a migration takes less than 1 s. */
const PROMISED_MS = 1_000;
/** Before each move, so that what the one before left behind is over. */
const SETTLE_MS = 100;

const MOVES = {
  'a node': (mover: Mover) => mover.moveNode(),
  'a region': (mover: Mover) => mover.moveRegion(),
} as const;
type What = keyof typeof MOVES;
const WHATS = Object.keys(MOVES) as What[];
/** Part of the repeats: a region, one session at a time, takes long. */
const SHARE: Readonly<Record<What, number>> = { 'a node': 1, 'a region': 0.25 };

/** What became of one kind of move; times in ms. */
interface Result {
  contender: string;
  what: What;
  /** How many each repeat moved. */
  sessions: number[];
  times: number[];
  /** How long another client's GETs took: while it was being moved, and before. */
  gets: number[];
  idle: number[];
}

async function measure({ repeats }: BenchOptions, stop: AbortSignal): Promise<BenchReport> {
  const results: Result[] = [];
  for (const contender of [BUCKETS, NAIVE]) {
    say(`${contender.name}: writing ${SESSIONS.toLocaleString('en')} sessions`);
    results.push(...(await withRedis((url, redis) => movesOf(contender, url, redis, repeats, stop))));
  }
  return reportOf(results);
}

async function movesOf(
  contender: Contender,
  url: string,
  redis: Parameters<Contender['open']>[1],
  repeats: number,
  stop: AbortSignal,
): Promise<Result[]> {
  const mover = await contender.open(url, redis);
  const witness = new Witness(url);
  try {
    const results: Result[] = [];
    for (const what of WHATS) {
      const result: Result = { contender: contender.name, what, sessions: [], times: [], gets: [], idle: [] };
      for (let i = -1; i < repeats * SHARE[what] && !stop.aborted; i += 1) {
        await pause(SETTLE_MS);
        const move = await witness.during(() => MOVES[what](mover));
        await mover.restore();
        await witness.take();
        if (i < 0) continue; // scripts are loaded, code is compiled
        result.sessions.push(move.result);
        result.times.push(move.ms);
        result.gets.push(...move.gets.map(({ ms }) => ms));
        result.idle.push(...move.before.map(({ ms }) => ms));
      }
      say(`${contender.name}, ${what}: ${summarize(result.times).p50} ms`);
      results.push(result);
    }
    return results;
  } finally {
    await witness.close();
    mover.close();
  }
}

function reportOf(results: readonly Result[]): BenchReport {
  const whole = results.every(({ sessions }) => new Set(sessions).size === 1);
  const ours = results.filter(({ contender }) => contender === BUCKETS.name);
  return {
    title: 'The sessions of a node, and of a region, are given to others. Times in ms, p50 / p95',
    load: { sessions: SESSIONS, nodes: 18, 'other clients': 1 },
    rows: results.map((result) => rowOf(result, results)),
    objectives: [
      ...ours.map(({ what, times }) => {
        const { p95 } = summarize(times);
        return { what: `${what} moved in less than ${PROMISED_MS} ms, p95: ${p95}`, met: p95 < PROMISED_MS };
      }),
      { what: 'every repeat moved every session', met: whole },
    ],
    notes: [
      'A node: us-east-1/a/n1 to the other five of its region. A region: the six nodes of us-east-1, to eu-central-1. Put back after each repeat, not measured.',
      'GET p99: another client, a process of its own, sends one GET after the other; those that waited while sessions were being moved. Idle: those just before.',
      'One session at a time: as Switchover did before there were buckets, 500 sessions a script.',
    ],
  };
}

function rowOf({ contender, what, sessions, times, gets, idle }: Result, all: readonly Result[]): Row {
  const time = summarize(times);
  const rival = all.find((other) => other.what === what && other.contender === NAIVE.name)!;
  return {
    name: `${what}, ${contender}`,
    cells: {
      sessions: sessions[0] ?? null,
      repeats: times.length,
      time,
      'quicker by': ratio(summarize(rival.times).p50, time.p50),
      'GETs meanwhile': gets.length,
      'GET p99': tenth(quantile(gets, 0.99)),
      'longest GET': tenth(max(gets)),
      'idle GET p99': tenth(quantile(idle, 0.99)),
    },
  };
}

const tenth = (ms: number): number => Math.round(ms * 10) / 10;

void benchmark({
  name: 'session-migration',
  what: 'The sessions of a node among a million are given to others, by buckets and one at a time.',
  repeats: 20,
  measure,
});
