import { benchmark, type BenchOptions } from '../lib/benchmark';
import type { BenchReport, Objective, Row } from '../lib/report';
import { withSandbox } from '../lib/sandbox';
import { summarize } from '../lib/summary';
import { inTurns } from '../lib/turns';
import type { Settings } from '../../sandbox';
import { CALLS_PER_S, CLIENTS, WRITES_PER_S, loseTwoRegions, type Sample } from './trial';

/** REQUIREMENTS F4: what a disaster may cost, ms. */
const RTO_MS = 15 * 60_000;
const RPO_MS = 5 * 60_000;

/** All five places, small: three regions that serve, a standby and a cold site, and a name with Route 53's usual TTL and fastest health checks. */
const FLEET: Partial<Settings> = {
  nodesPerZone: 1,
  sparesPerZone: 0,
  server: false,
  monitoring: false,
  database: true,
  sentinel: true,
  backups: true,
  dns: true,
  dnsTtl: 30,
  dnsChecks: '10s/3',
  workers: 4,
  recovery: true,
};

/** What is left where two of three regions are gone, and who serves in their place. */
const DISASTERS = [
  { name: 'standby: the synchronous standby of the database is left', site: 'us-west-1', restores: false },
  {
    name: 'cold site: no member is left, all is restored from the backup',
    site: 'eu-north-1',
    restores: true,
  },
] as const;

type Disaster = (typeof DISASTERS)[number];

async function measure(options: BenchOptions, stop: AbortSignal): Promise<BenchReport> {
  const results = await inTurns(DISASTERS, options, stop, (disaster) =>
    withSandbox(FLEET, (sandbox) => loseTwoRegions(sandbox, disaster)),
  );
  return {
    title:
      'Two of three regions are lost at once, two people agree, and another place serves. Times in ms from the fault, p50 / p95; DNS TTL 30 s, health checks 10 s × 3',
    load: { 'MCP clients by name': CLIENTS, 'calls/s': CLIENTS * CALLS_PER_S, 'inserts/s': WRITES_PER_S },
    rows: [...results].map(([{ name }, samples]) => rowOf(name, samples)),
    objectives: [...results].flatMap(([disaster, samples]) => objectivesOf(disaster, samples)),
    notes: [
      'The people of this benchmark agree at once; where the run asks before it gives data up, somebody says yes after a second look at it.',
      'rows lost: acknowledged to a client and not in the database that serves in the end. Where all is restored from the backup, those since the last archived commit.',
    ],
  };
}

function rowOf(name: string, samples: readonly Sample[]): Row {
  const all = (key: 'callMs' | 'writeGapMs' | 'overMs' | 'homeMs') =>
    summarize(samples.map((sample) => sample[key]));
  const sum = (key: 'calls' | 'failed' | 'sessionsLost' | 'rows' | 'rowsLost' | 'homeFailed') =>
    samples.reduce((total, sample) => total + sample[key], 0);
  return {
    name,
    cells: {
      'first call there': all('callMs'),
      'no write': all('writeGapMs'),
      'run over': all('overMs'),
      calls: sum('calls'),
      failed: sum('failed'),
      'sessions lost': sum('sessionsLost'),
      'rows acknowledged': sum('rows'),
      'rows lost': sum('rowsLost'),
      'RPO told, ms': Math.max(...samples.map(({ rpoMs }) => rpoMs)),
      'home again': all('homeMs'),
      'failed on the way home': sum('homeFailed'),
    },
  };
}

function objectivesOf({ site, restores }: Disaster, samples: readonly Sample[]): Objective[] {
  const over = Math.max(...samples.map(({ overMs }) => overMs));
  const rpo = Math.max(...samples.map(({ rpoMs }) => rpoMs));
  const rows = samples.reduce((sum, { rowsLost }) => sum + rowsLost, 0);
  return [
    { what: `${site} serves within ${RTO_MS} ms, the slowest: ${over}`, met: over < RTO_MS },
    restores
      ? { what: `${site}: less than ${RPO_MS} ms of writes are lost: ${rpo}`, met: rpo < RPO_MS }
      : { what: `${site}: no acknowledged row is lost: ${rows}`, met: rows === 0 },
    {
      what: `${site}: every run recovered: ${samples.map(({ state }) => state).join(', ')}`,
      met: samples.every(({ state }) => state === 'recovered'),
    },
    {
      what: `${site}: every way home was gone to its end, and no client noticed: ${samples.map(({ homeState, homeFailed }) => `${homeState}, ${homeFailed} calls failed`).join('; ')}`,
      met: samples.every(({ homeState, homeFailed }) => homeState === 'succeeded' && homeFailed === 0),
    },
  ];
}

void benchmark({
  name: 'global-failover',
  what: 'From two lost regions to a standby or a cold site that serves in their place.',
  repeats: 1,
  measure,
});
