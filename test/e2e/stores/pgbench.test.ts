import { useDatabase } from '../../harness/database';
import { startPgbench, type Pgbench } from '../../harness/pgbench';
import { testRuns } from '../../harness/runs';
import { smallSandbox } from '../../harness/sandbox';
import { until } from '../../harness/until';

/** pgbench, PostgreSQL's own, at the address of the database's clients through everything that happens to the database. */
const database = useDatabase(smallSandbox(23));
const runs = testRuns(() => database.fleet);

let pgbench: Pgbench | undefined;
afterEach(() => pgbench?.stop());

it('survives all of it: nothing that was acknowledged is lost, every transaction is there whole or not at all', async () => {
  const { fleet, workers } = database;
  workers.start();
  const bench = (pgbench = await startPgbench(fleet.sandbox.databaseUrl));
  const through = async (what: string, happens: () => Promise<unknown>) => {
    const before = bench.acknowledged();
    await happens();
    await until(`pgbench goes on after ${what}`, () => bench.acknowledged() > before + 100);
  };
  const rescue = (runbook: string, fault: () => Promise<unknown>) => async () => {
    await fault();
    await fleet.reaches(await runs.start(runbook, {}), 'recovered');
  };
  const loses = (fault: 'kill' | 'hang' | 'patroni-kill' | 'partition') => async () => {
    await fleet.breakDatabase('primary', fault);
    await until('writes fail', async () => !(await database.systems.database.look()).clients.ok);
  };
  // Its tables were just filled, and it has the machine: a switchover is refused while a write takes too long.
  await through('a switchover', () =>
    until('it is not refused', () => runs.carryOut('database-switchover', {}, 'succeeded')),
  );
  for (const fault of ['kill', 'hang', 'patroni-kill'] as const)
    await through(`${fault} of the primary`, rescue('database-failover', loses(fault)));
  await through(
    'the loss of etcd',
    rescue('control-plane-restart', () => fleet.breakDatabase('etcd', 'kill')),
  );
  await through(
    'the loss of a standby',
    rescue('partition-response', () => fleet.breakDatabase('replica', 'kill')),
  );
  await through('a partition', rescue('database-failover', loses('partition')));
  const { acknowledged, unknown, stored, sums } = await bench.stop();
  expect(stored).toBeGreaterThanOrEqual(acknowledged);
  expect(stored).toBeLessThanOrEqual(acknowledged + unknown);
  expect(new Set(sums).size).toBe(1);
}, 300_000);
