import type { TestFleet } from '../harness/fleet';
import { testRuns, type TestRuns } from '../harness/runs';
import type { Scenario } from './scenarios';

/** Runs on what stands around the nodes, found by the monitor, and planned work on the fleet; in this order. */
export const FLEET_SCENARIOS: readonly Scenario[] = [
  {
    name: 'balancer-recovered',
    outcome: 'recovered',
    async act(fleet) {
      await fleet.breakBalancer('us-east-1', 'kill');
      return fleet.runOn('lb/us-east-1');
    },
  },
  {
    name: 'registry-recovered',
    outcome: 'recovered',
    async act(fleet) {
      await fleet.breakRegistry('hang');
      return fleet.runOn('registry/main');
    },
  },
  {
    name: 'sessions-moved',
    outcome: 'succeeded',
    act: (fleet) => start(fleet, 'session-migration', { from: 'us-east-1/a/n1', to: 'us-east-1/b/n1' }),
  },
  {
    name: 'rebalanced',
    outcome: 'succeeded',
    act: (fleet) => start(fleet, 'rebalance', { region: 'us-east-1' }),
  },
  {
    name: 'node-not-added',
    outcome: 'rolled back',
    async act(fleet) {
      await fleet.break('us-east-1/b/s1', 'mcp');
      return start(fleet, 'add-node', { node: 'us-east-1/b/s1' });
    },
  },
  {
    name: 'node-added',
    outcome: 'succeeded',
    act: (fleet) => start(fleet, 'add-node', { node: 'us-east-1/a/s1', watch: '2s' }),
  },
  {
    name: 'node-decommissioned',
    outcome: 'succeeded',
    act: (fleet) => start(fleet, 'decommission-node', { node: 'us-east-1/a/s1' }),
  },
  {
    name: 'node-replaced',
    outcome: 'succeeded',
    act: (fleet) => start(fleet, 'replace-node', { node: 'us-east-1/a/n1' }),
  },
  {
    name: 'region-formed',
    outcome: 'succeeded',
    act: (fleet) => start(fleet, 'cluster-formation', { region: 'eu-central-1' }),
  },
  {
    name: 'region-formation-planned',
    outcome: 'planned',
    act: (fleet) => start(fleet, 'cluster-formation', { region: 'eu-central-1' }, 'plan'),
  },
];

/** Runs on the database, which needs a fleet that has one. */
export const DATABASE_SCENARIOS: readonly Scenario[] = [
  {
    name: 'database-serves',
    outcome: 'succeeded',
    act: (fleet) => start(fleet, 'database-failover', {}),
  },
  {
    name: 'database-switched',
    outcome: 'succeeded',
    act: (fleet) => start(fleet, 'database-switchover', {}),
  },
  {
    name: 'database-switched-by-force',
    outcome: 'succeeded',
    act: (fleet) => testRuns(() => fleet).startForced('database-switchover', {}),
  },
  {
    name: 'database-planned',
    outcome: 'planned',
    async act(fleet) {
      await fleet.breakDatabase('primary', 'cut-control-plane');
      return start(fleet, 'database-failover', {}, 'plan');
    },
  },
  {
    name: 'database-recovered',
    outcome: 'recovered',
    async act(fleet) {
      await fleet.healDatabase();
      await fleet.breakDatabase('primary', 'hang');
      return fleet.runOn('database/main');
    },
  },
  {
    name: 'database-control-recovered',
    outcome: 'recovered',
    async act(fleet) {
      await fleet.healDatabase();
      await fleet.breakDatabase('etcd', 'kill');
      return fleet.runOn('control/main');
    },
  },
  {
    name: 'database-member-recovered',
    outcome: 'recovered',
    async act(fleet) {
      await fleet.breakDatabase('replica', 'kill');
      return fleet.runOn('members/main');
    },
  },
  {
    name: 'database-outage-planned',
    outcome: 'planned',
    act: (fleet) => start(fleet, 'full-outage', {}, 'plan'),
  },
  {
    name: 'database-outage-recovered',
    outcome: 'recovered',
    async act(fleet) {
      for (const part of ['replica', 'replica', 'primary'] as const) await fleet.breakDatabase(part, 'kill');
      return fleet.runOn('database/main');
    },
  },
];

/** Runs on backups, which need a fleet that takes them. */
export const BACKUP_SCENARIOS: readonly Scenario[] = [
  {
    name: 'backup-taken',
    outcome: 'succeeded',
    act: (fleet) => start(fleet, 'backup-full', {}),
  },
  {
    name: 'backup-incremental-taken',
    outcome: 'succeeded',
    act: (fleet) => start(fleet, 'backup-incremental', {}),
  },
  {
    name: 'backup-planned',
    outcome: 'planned',
    act: (fleet) => start(fleet, 'backup-full', {}, 'plan'),
  },
  {
    name: 'backup-verified',
    outcome: 'succeeded',
    act: (fleet) => start(fleet, 'backup-verify', {}),
  },
  {
    name: 'backup-verification-undone',
    outcome: 'aborted',
    async act(fleet) {
      const runs = testRuns(() => fleet);
      const run = await runs.start('backup-verify', { repository: 'offsite' });
      await runs.abortIn(run, 'Restore a copy beside the database');
      return run;
    },
  },
  {
    name: 'instant-restored',
    outcome: 'succeeded',
    act: (fleet) => start(fleet, 'restore-point-in-time', { at: new Date().toISOString() }),
  },
  {
    name: 'copy-swap-planned',
    outcome: 'planned',
    act: (fleet) => start(fleet, 'restore-swap-in', {}, 'plan'),
  },
  {
    name: 'copy-swapped-back',
    outcome: 'aborted',
    async act(fleet) {
      const run = await swapIn(fleet);
      await testRuns(() => fleet).abortIn(run, 'Stop every member of the database');
      return run;
    },
  },
  {
    name: 'copy-swapped-in',
    outcome: 'succeeded',
    act: swapIn,
  },
  {
    name: 'instant-unknown',
    outcome: 'failed',
    act: (fleet) => start(fleet, 'restore-point-in-time', { at: '2001-01-01T00:00:00Z' }),
  },
];

/** Runs on the session store, which needs a fleet whose store is under Sentinel. */
export const REDIS_SCENARIOS: readonly Scenario[] = [
  {
    name: 'redis-serves',
    outcome: 'succeeded',
    act: (fleet) => start(fleet, 'redis-failover', {}),
  },
  {
    name: 'redis-switchover-planned',
    outcome: 'planned',
    act: (fleet) => start(fleet, 'redis-switchover', { to: 'm2' }, 'plan'),
  },
  {
    name: 'redis-switched-over',
    outcome: 'succeeded',
    act: (fleet) => start(fleet, 'redis-switchover', { to: 'm2' }),
  },
  {
    name: 'redis-switchover-refused',
    outcome: 'refused',
    async act(fleet) {
      await fleet.breakRedis('replica', 'kill');
      return start(fleet, 'redis-switchover', {});
    },
  },
  {
    name: 'redis-recovered',
    outcome: 'recovered',
    async act(fleet) {
      await fleet.healRedis();
      await fleet.breakRedis('primary', 'hang');
      return fleet.runOn('redis/sessions');
    },
  },
];

/** Another person than the one who asks agrees. */
async function swapIn(fleet: TestFleet): Promise<string> {
  const run = await start(fleet, 'restore-swap-in', {});
  await fleet.reaches(run, 'waiting for approval');
  await fleet.operations.decide(run, 'approve', { by: 'bob', reason: 'for the record' });
  return run;
}

function start(fleet: TestFleet, ...asked: Parameters<TestRuns['start']>): Promise<string> {
  return testRuns(() => fleet).start(...asked);
}
