import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import stringWidth from 'string-width';
import { stringify } from 'yaml';
import { auditPage, recoveryTable } from '../../cli/render/journal';
import { notKnown, readinessPage } from '../../cli/render/readiness';
import { evaluate } from '../../core/readiness';
import { catalogue } from '../../operations';
import { NOTHING } from '../../operations/journal/chain';
import { AT, config, pool, well } from '../core/readiness/world';
import { build, type Built } from './built';
import { look } from './fixtures';

const spoiled = evaluate(catalogue, config, {
  ...well,
  regions: Object.fromEntries(
    Object.keys(well.regions).map((region) => [
      region,
      { ...pool(region), rights: { value: 'level operator' } },
    ]),
  ),
  history: { 'backup-full': { runs: 3, p95Ms: 9_000, provenAt: '2029-12-30T03:04:05.000Z' } },
});
const now = Date.parse(AT) + 65_000;

it.each([80, 100, 120])('how the runbooks stand fits %i columns', (width) => {
  const page = [
    ...readinessPage(spoiled, { ...look({ width }), now }),
    ...notKnown('x '.repeat(99), look({ width })),
  ];
  expect(Math.max(...page.map((line) => stringWidth(line)))).toBeLessThanOrEqual(width);
});

it('the worst comes first, and what has one remedy is said together', () => {
  const page = readinessPage(spoiled, { ...look({ width: 100 }), now });
  expect(page.slice(0, 2)).toEqual([
    expect.stringMatching(/^Runbooks: \d+ not ready, \d+ with a warning, 1 ready\.$/),
    'Evaluated 1 min ago, every 5 min; --again looks now.',
  ]);
  expect(page[4]).toBe('✗ add-node               not ready  no history yet     5 s        never');
  expect(page).toContain('✓ backup-full            ready      9.0 s (of 3 runs)  30 min     3 days ago');
  const problem = page.findIndex((line) => /^✗ not ready \(\d+ runbooks\): add-node/.test(line));
  expect(page.slice(problem + 1, problem + 5)).toEqual([
    '    the load balancer of us-east-1 lets us only look: level operator',
    '    the load balancer of eu-central-1 lets us only look: level operator',
    '    the load balancer of ap-southeast-1 lets us only look: level operator',
    '    → give its runtime API level admin',
  ]);
});

it('recoveries are a table, and the audit names the row that does not fit', () => {
  const row = {
    runbook: 'zone-failover',
    level: 'zone',
    region: 'us-east-1',
    count: 2,
    recovered: 1,
    mttrP50Ms: 9_000,
    mttrP95Ms: 12_000,
  };
  const rest = { mtbfMs: 7_200_000, objectiveMs: 30_000, rtoAchieved: 1, rpoAchieved: 1, rpoCounted: 2 };
  expect(recoveryTable([{ ...row, ...rest }], AT, look({ width: 100 })).slice(2)).toEqual([
    'runbook        where      faults  recovered  MTTR p50  p95     MTBF  RTO met      RPO met',
    'zone-failover  us-east-1  2       1          9.0 s     12.0 s  2 h   1/2 in 30 s  1/2',
  ]);
  const entry = {
    key: 'k',
    at: AT,
    kind: 'lever' as const,
    by: 'ada',
    what: 'engaged the safety lever',
    reason: 'a storm',
  };
  const misfit = { row: { ...entry, seq: 7, previous: '', hash: '' }, why: 'it was changed' };
  const page = auditPage(
    { check: { rows: 9, misfit, end: NOTHING }, entries: [entry] },
    look({ width: 100 }),
  );
  expect(page[0]).toBe('✗ row 7 of the audit does not fit: it was changed');
  expect(page.at(-1)).toBe('2030-01-02 03:04:05Z  ada engaged the safety lever (“a storm”)');
});

describe('check', () => {
  let cli: Built;
  beforeAll(() => {
    cli = build();
    const secrets = { env: 'PATH' };
    const text = JSON.stringify(config).replaceAll(
      /"password":\{[^}]*\}/g,
      `"password":${JSON.stringify(secrets)}`,
    );
    const plain = JSON.parse(
      text.replaceAll(/\{"env":"SWITCHOVER_[A-Z_]*"\}/g, JSON.stringify(secrets)),
    ) as unknown;
    writeFileSync(join(cli.dir, 'good.yaml'), stringify(plain));
  });
  afterAll(() => cli.remove());
  const env = { SWITCHOVER_CONFIG: 'good.yaml', TEMPORAL_ADDRESS: '127.160.0.99:1' };

  it('of the file alone contacts nobody', async () => {
    const { status, stdout } = await cli.run(['check', '--file'], { env });
    expect({ status, stdout }).toEqual({ status: 0, stdout: '✓ good.yaml: no problem found\n' });
  });

  it('says that nobody knows how the runbooks stand while Temporal is away', async () => {
    const { status, stdout, stderr } = await cli.run(['check'], { env });
    expect(stderr).toBe('');
    expect(stdout).toContain('? whether the runbooks could be carried out is not known: ');
    expect(status).toBe(7);
  });
});
