import { PROMISED } from '../../sandbox/scenario';
import { benchmark, type BenchOptions } from '../lib/benchmark';
import type { BenchReport, Objective, Row } from '../lib/report';
import { say, withSandbox } from '../lib/sandbox';
import { ratio, summarize, type Summary } from '../lib/summary';
import { CONTENDERS, FAST_CHECKS, FAULTS, SLOW_CHECKS, SWITCHOVER, type Contender } from './contenders';
import { attempt, type Sample } from './trial';
import { BUSY } from '../lib/load';

/** The samples of a fault, by contender. */
type Results = Map<Contender, Sample[]>;

async function measure({ repeats }: BenchOptions, stop: AbortSignal): Promise<BenchReport> {
  const results = FAULTS.map(() => new Map() as Results);
  for (const contender of CONTENDERS) {
    say(`${contender.name}: bringing its fleet up`);
    await withSandbox(contender.settings, async (sandbox) => {
      for (const [i, { fault, share }] of FAULTS.entries()) {
        const trial = { sandbox, contender, fault, repeats: Math.ceil(repeats * share), stop };
        results[i]!.set(contender, await attempt(trial));
      }
    });
  }
  return reportOf(results);
}

function reportOf(results: readonly Results[]): BenchReport {
  const late = results.flatMap((byContender) =>
    [...byContender.values()].flat().map(({ outLateMs }) => outLateMs ?? 0),
  );
  const { clients, ratePerClient, region } = BUSY;
  return {
    title: 'A node fails under live MCP clients. Times in ms from the fault, p50 / p95',
    load: { 'MCP clients': clients, 'calls/s': clients * ratePerClient, nodes: 6, region },
    rows: FAULTS.flatMap(({ does }, i) => rowsOf(does, results[i]!)),
    objectives: FAULTS.flatMap(({ does }, i) => objectivesOf(does, results[i]!.get(SWITCHOVER)!)),
    notes: [
      'HAProxy 2s/3: HAProxy alone with `inter 2s fall 3`, 500ms/2: with `inter 500ms fall 2`, on a fleet of its own. It starts no node again, so "healed" and "full weight" do not apply.',
      "+ observe: with `observe layer4`, as the sandbox sets it up under Switchover: the first refused connection takes a node out. That part of Switchover's figure is HAProxy's own.",
      'Few calls fail while a killed node is still in: HAProxy tries a refused connection on another node.',
      `"Out" and "full weight" were seen from outside in HAProxy's statistics, "out" at most ${Math.max(...late)} ms late; "healed" is the run's proof through the load balancer.`,
    ],
  };
}

function rowsOf(does: string, results: Results): Row[] {
  const outOf = (contender: Contender): number => summaryOf(results.get(contender)!, 'outMs')?.p50 ?? NaN;
  return [...results].map(([contender, samples]) => ({
    name: `${does} ${contender.name}`,
    cells: {
      'out of balancer': summaryOf(samples, 'outMs'),
      'vs 2s/3': ratio(outOf(contender), outOf(SLOW_CHECKS)),
      'vs 500ms/2': ratio(outOf(contender), outOf(FAST_CHECKS)),
      healed: summaryOf(samples, 'healedMs'),
      'full weight': summaryOf(samples, 'backMs'),
      calls: sum(samples, 'calls'),
      failed: sum(samples, 'failed'),
      'longest wait': summaryOf(samples, 'gapMs'),
      'sessions lost': sum(samples, 'sessionsLost'),
      done: `${samples.filter(({ outMs, healedMs }) => outMs !== null && (!contender.heals || healedMs !== null)).length} of ${samples.length}`,
    },
  }));
}

function objectivesOf(does: string, samples: readonly Sample[]): Objective[] {
  const { outMs, healedMs } = PROMISED;
  const out = summaryOf(samples, 'outMs');
  const healed = summaryOf(samples, 'healedMs');
  const lost = sum(samples, 'sessionsLost');
  return [
    { what: `${does}: out of the balancer in less than ${outMs} ms, p50: ${out?.p50}`, met: met(out, outMs) },
    { what: `${does}: healed in less than ${healedMs} ms, p50: ${healed?.p50}`, met: met(healed, healedMs) },
    { what: `${does}: no session lost: ${lost}`, met: lost === 0 },
  ];
}

const met = (measured: Summary | null, limit: number): boolean => measured !== null && measured.p50 < limit;

/** Of the samples that came to it; null where none did. */
function summaryOf(
  samples: readonly Sample[],
  key: 'outMs' | 'healedMs' | 'backMs' | 'gapMs',
): Summary | null {
  const values = samples.map((sample) => sample[key]).filter((value) => value !== null);
  return values.length === 0 ? null : summarize(values);
}

function sum(samples: readonly Sample[], key: 'failed' | 'calls' | 'sessionsLost'): number {
  return samples.reduce((total, sample) => total + sample[key], 0);
}

void benchmark({
  name: 'node-failover',
  what: 'From a node that fails to a node that serves, beside HAProxy alone.',
  repeats: 10,
  measure,
});
