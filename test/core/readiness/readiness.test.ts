import { readinessOf, type Readiness, type WorldSeen } from '../../../core/readiness';
import { findRunbook } from '../../../core/runbook';
import type { BackupsView } from '../../../core/backup';
import { catalogue } from '../../../operations';
import { AT, backupIn, cache, config, database, pool, standby, standbys, well } from './world';

const US = 'us-east-1';
const of = (runbook: string, seen: Partial<WorldSeen> = {}, file = config): Readiness =>
  readinessOf(findRunbook(catalogue, runbook), file, { ...well, ...seen });
const told = ({ verdict, shortfalls }: Readiness) => [verdict, shortfalls.map(({ says }) => says).join('; ')];

const region = (name: string, seen: WorldSeen['regions'][string]): Partial<WorldSeen> => ({
  regions: { ...well.regions, [name]: seen },
});
const databaseWith = (view: NonNullable<WorldSeen['database']>['view']): Partial<WorldSeen> => ({
  database: { ...well.database!, view },
});
const backupsWith = (change: Partial<BackupsView>): Partial<WorldSeen> => ({
  backups: { value: { ...(well.backups as { value: BackupsView }).value, ...change } },
});
const historyOf = (runbook: string, history: NonNullable<WorldSeen['history']>[string] | undefined) => {
  const { [runbook]: _gone, ...others } = well.history!;
  return { history: history ? { ...others, [runbook]: history } : others };
};

it.each(catalogue.map(({ id }) => [id]))('%s is ready where nothing is the matter', (id) => {
  expect(told(of(id))).toEqual(['ready', '']);
});

describe.each<[what: string, seen: Partial<WorldSeen>, runbook: string, verdict: string, says: string]>([
  [
    'a pool in which nobody serves',
    region(
      US,
      pool(US, (all) => all.map((one) => ({ ...one, admin: 'maint' }))),
    ),
    'node-failover',
    'not ready',
    'no node of us-east-1 serves',
  ],
  [
    'a pool with one node left',
    region(
      US,
      pool(US, ([first]) => [first!]),
    ),
    'node-failover',
    'not ready',
    'a-n1 must stay',
  ],
  [
    'a node that the load balancer does not know',
    region(
      US,
      pool(US, (all) => all.slice(1)),
    ),
    'session-migration',
    'warning',
    'does not know us-east-1/a/n1',
  ],
  [
    'a load balancer that does not answer',
    region(US, { ...pool(US), pool: { said: 'refused', code: 'LB_UNREACHABLE' } }),
    'zone-failover',
    'not ready',
    'the load balancer of us-east-1 cannot be used: refused',
  ],
  [
    'a look that was not finished',
    region(US, { ...pool(US), pool: { said: 'not within 15 s' } }),
    'zone-failover',
    'unknown',
    'was not seen: not within 15 s',
  ],
  [
    'a runtime API that lets us only look',
    region(US, { ...pool(US), rights: { value: 'operator' } }),
    'node-failover',
    'not ready',
    'lets us only look: operator',
  ],
  [
    'a supervisor that does not take our password',
    region(US, { ...pool(US), programs: { said: 'HTTP 401', code: 'FLEET_REFUSED' } }),
    'node-failover',
    'not ready',
    'the supervisor of us-east-1 cannot be used: HTTP 401',
  ],
  [
    'a supervisor without the program of a node',
    region(US, { ...pool(US), programs: { value: [] } }),
    'add-node',
    'not ready',
    'has no program for us-east-1/a/n1',
  ],
  [
    'zones that the others cannot stand in for at the peak',
    region(US, pool(US, undefined, 2_600)),
    'zone-failover',
    'not ready',
    'the measured peak of 2600 requests/s needs 6 at 500 each; so do 2 more',
  ],
  [
    'a peak that nobody has measured',
    region(US, pool(US, undefined, null)),
    'zone-failover',
    'unknown',
    'the peak of us-east-1 is not known',
  ],
  [
    'spares that are all in service',
    region(
      US,
      pool(US, (all) => [...all, { server: 'a-s1', admin: 'ready', up: true }]),
    ),
    'node-failover',
    'warning',
    'every spare of us-east-1/a is in service',
  ],
  [
    'a second load balancer that is not installed',
    region(US, { ...pool(US), programs: { value: [`haproxy-${US}`] } }),
    'lb-failover',
    'not ready',
    'does not know haproxy-us-east-1-standby',
  ],
  [
    'a session store that does not answer',
    { sessions: { said: 'refused', code: 'SESSIONS_UNREACHABLE' } },
    'session-migration',
    'not ready',
    'the session store cannot be used',
  ],
  [
    'a region without a record set',
    { dns: { value: { view: { name: 'fleet.', ttlS: 30, records: [] }, answers: [] } } },
    'region-failback',
    'not ready',
    'fleet. has no record set for us-east-1, eu-central-1, ap-southeast-1',
  ],
  [
    'no standby that has every write',
    databaseWith({ value: standbys(standby('d3')) }),
    'database-failover',
    'not ready',
    'no synchronous standby answers',
  ],
  [
    'no standby at all, by plan',
    databaseWith({ value: standbys() }),
    'database-switchover',
    'not ready',
    'no standby follows it',
  ],
  [
    'a control plane that does not answer',
    databaseWith({ value: { ...database, leader: undefined } }),
    'database-failover',
    'not ready',
    'the control plane that keeps the lease does not answer',
  ],
  [
    'a standby that is 20 MB behind',
    databaseWith({
      value: standbys(standby('d2', { lsn: 1_000_000 }), standby('d3', { lsn: 1_000_000 - 20_000_000 })),
    }),
    'database-failover',
    'warning',
    'standbys are behind d1: d3 20.0 MB',
  ],
  [
    'a standby that does not follow',
    databaseWith({ value: standbys(standby('d2'), standby('d3', { receiver: undefined })) }),
    'database-failover',
    'warning',
    'd3 (standby of d1) does not follow d1',
  ],
  [
    'a database that cannot be fenced',
    { database: { ...well.database!, programs: { value: ['database-d1'] } } },
    'full-outage',
    'not ready',
    'does not know database-d2, database-d3, database-etcd: it could not be fenced',
  ],
  [
    'a silent standby of the session store',
    {
      cache: {
        ...well.cache!,
        view: {
          value: {
            ...cache,
            members: [...cache.members.slice(0, 2), { member: 'm3', reachable: false, said: 'refused' }],
          },
        },
      },
    },
    'redis-failover',
    'not ready',
    'm3, which may have them, does not answer',
  ],
  [
    'Sentinels that watch nobody',
    { cache: { ...well.cache!, view: { value: { ...cache, sentinels: cache.sentinels.slice(0, 1) } } } },
    'redis-failover',
    'warning',
    '1 of 1 Sentinels watch m1, and 2 have to agree',
  ],
  [
    'a registry without a standby',
    { registry: { ...well.registry!, view: { value: [] } } },
    'registry-failover',
    'not ready',
    'no standby answers',
  ],
  [
    'no backup',
    backupsWith({ backups: [] }),
    'restore-point-in-time',
    'not ready',
    'there is no backup in any',
  ],
  [
    'a backup at one site only',
    backupsWith({ backups: [backupIn('near', AT)] }),
    'backup-verify',
    'warning',
    'there is no backup in the offsite repository',
  ],
  [
    'a backup of two days ago',
    backupsWith({ backups: [backupIn('near', AT), backupIn('offsite', '2029-12-31T03:04:05.000Z')] }),
    'restore-swap-in',
    'warning',
    'the newest backup in the offsite repository is 2 days old, more than 26 h',
  ],
  [
    'a repository that is away',
    backupsWith({ trouble: { offsite: 'no route' } }),
    'backup-full',
    'not ready',
    'the offsite repository is not well: no route',
  ],
  [
    'a log that is not archived',
    backupsWith({ archiving: { waiting: 9, lastAt: AT, failedAt: AT } }),
    'backup-incremental',
    'warning',
    'archiving failed at',
  ],
  [
    'a runbook that nobody has tried',
    historyOf('lb-failover', undefined),
    'lb-failover',
    'warning',
    'no run or drill of it',
  ],
  [
    'a runbook that was proven last year',
    historyOf('lb-failover', { runs: 1, p95Ms: 1, provenAt: '2029-06-02T03:04:05.000Z' }),
    'lb-failover',
    'warning',
    'it was last proven 214 days ago (2029-06-02)',
  ],
  [
    'a runbook that takes longer than it may',
    historyOf('node-failover', { runs: 9, p95Ms: 7_200, provenAt: AT }),
    'node-failover',
    'warning',
    'it is expected to take 7.2 s (95 % of 9 runs took no longer), its objective is 5 s',
  ],
  [
    'a journal that never answered',
    { history: undefined as never },
    'add-node',
    'unknown',
    'the journal does not answer',
  ],
])('%s', (_, seen, runbook, verdict, says) => {
  it(`${runbook} is ${verdict}, because ${says}`, () => {
    const found = of(runbook, seen);
    expect(told(found)).toEqual([verdict, expect.stringContaining(says)]);
    for (const { todo } of found.shortfalls) expect(todo).toMatch(/\w{3,}/);
  });
});

describe('a region', () => {
  it('cannot be left while nobody else serves', () => {
    const out = (name: string) => pool(name, (all) => all.map((one) => ({ ...one, up: false })));
    const alone = {
      ...well.regions,
      'eu-central-1': out('eu-central-1'),
      'ap-southeast-1': out('ap-southeast-1'),
    };
    const { verdict, shortfalls } = of('region-failover', { regions: alone });
    expect(verdict).toBe('not ready');
    expect(shortfalls[0]!.says).toBe(
      'us-east-1 must not be left: no other region serves that could take over',
    );
  });

  it('that the others could not bear is left when it is lost, and stays where that is only planned', () => {
    const busy = Object.fromEntries(
      Object.keys(well.regions).map((name) => [name, pool(name, undefined, 2_900)]),
    );
    expect(told(of('region-failover', { regions: busy }))[0]).toBe('warning');
    const evacuation = of('region-evacuation', { regions: busy });
    expect(told(evacuation)).toEqual([
      'not ready',
      expect.stringContaining('cannot bear its traffic at the measured peak'),
    ]);
  });
});

describe('what would be lost', () => {
  it('is nothing of a synchronous database, and what is behind of another', () => {
    expect(of('database-failover').forecast).toEqual({
      runs: 7,
      rtoMs: 900,
      loss: 'no acknowledged row',
      rpoMs: 0,
    });
    const behind = standbys(standby('d2', { lsn: 500_000 }));
    const { forecast } = of('database-failover', databaseWith({ value: { ...behind, synchronous: false } }));
    expect(forecast).toEqual({ runs: 7, rtoMs: 900, loss: 'rows in 500 kB of the log' });
  });

  it('by a restore is what was written since the log was shipped, and more than its objective is said', () => {
    expect(of('restore-swap-in').forecast).toMatchObject({
      loss: 'what was written in the last 1 min',
      rpoMs: 60_000,
    });
    const strict = { ...config, objectives: { ...config.objectives, restore: { rto: '30m', rpo: '30s' } } };
    expect(told(of('restore-swap-in', {}, strict))).toEqual([
      'warning',
      'it would lose what was written in the last 1 min, its objective is 30 s',
    ]);
  });

  it('and how long it takes is not guessed', () => {
    expect(of('lb-failover', historyOf('lb-failover', undefined)).forecast).toEqual({ runs: 0 });
  });
});

describe('an environment without a system', () => {
  const { dns: _dns, backups: _backups, database: _database, registry: _registry, ...bare } = config;

  it.each(['database-failover', 'backup-full', 'restore-swap-in', 'region-failover', 'registry-failover'])(
    'has no use for %s',
    (id) => expect(of(id, {}, bare).verdict).toBe('not here'),
  );
  it.each(['node-failover', 'rebalance', 'cluster-formation'])('has use for %s', (id) =>
    expect(of(id, {}, bare).verdict).toBe('ready'),
  );
});
