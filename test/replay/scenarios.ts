import { haproxy } from '../../activities/adapters/haproxy';
import { loadConfig } from '../../operations';
import { openContext } from '../../sandbox/context';
import { supervisorOf } from '../../sandbox/supervisor';
import type { Mode, Outcome } from '../../core/run';
import { until } from '../harness/until';
import type { TestFleet } from '../harness/fleet';

/** Brings one run of node-failover to its end on real systems. */
export interface Scenario {
  /** The history's file name. */
  name: string;
  outcome: Outcome;
  /** @returns the run, which is over or about to be */
  act(fleet: TestFleet): Promise<string>;
}

const by = 'ada';
const reason = 'recording';

/** Every way in which a run of node-failover can end, those that can only be decided by a person included. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'recovered-by-restart',
    outcome: 'recovered',
    async act(fleet) {
      await fleet.break('us-east-1/a/n1', 'kill');
      return fleet.runOn('us-east-1/a/n1');
    },
  },
  {
    name: 'recovered-by-spare',
    outcome: 'recovered',
    async act(fleet) {
      await fleet.break('us-east-1/b/n1', 'mcp');
      return fleet.runOn('us-east-1/b/n1');
    },
  },
  {
    name: 'recovered-after-pause',
    outcome: 'recovered',
    async act(fleet) {
      const node = 'us-east-1/c/n1';
      await fleet.break(node, 'kill');
      const run = await fleet.runOn(node);
      await fleet.operations.decide(run, 'pause', { by, reason });
      await fleet.reaches(run, 'paused');
      await fleet.operations.decide(run, 'resume', { by, reason });
      return run;
    },
  },
  {
    name: 'drill',
    outcome: 'recovered',
    act: (fleet) => until('a drill may begin', () => start(fleet, 'ap-southeast-1/c/n1', 'drill')),
  },
  {
    name: 'interrupted-drill',
    outcome: 'interrupted',
    async act(fleet) {
      const run = await until('a drill may begin', () => start(fleet, 'ap-southeast-1/c/n2', 'drill'));
      const rescue = await start(fleet, 'ap-southeast-1/c/n2');
      await fleet.reaches(rescue, 'succeeded');
      return run;
    },
  },
  {
    name: 'absorbed',
    outcome: 'absorbed',
    async act(fleet) {
      const zone = 'us-east-1/c';
      await fleet.break(`${zone}/n2`, 'kill');
      const run = await fleet.runOn(`${zone}/n2`);
      await fleet.operations.start({ runbook: 'zone-failover', input: { zone }, by });
      await fleet.reaches(run, 'absorbed');
      const next = await until('it gets a run of its own again', async () => {
        const found = await fleet.runOn(`${zone}/n2`);
        return found !== run && found;
      });
      await fleet.reaches(next, 'recovered'); // what the zone's run had no need to heal
      return run;
    },
  },
  {
    name: 'succeeded',
    outcome: 'succeeded',
    act: (fleet) => start(fleet, 'eu-central-1/c/n2'),
  },
  {
    name: 'planned',
    outcome: 'planned',
    act: (fleet) => start(fleet, 'eu-central-1/c/n2', 'plan'),
  },
  {
    name: 'refused-by-a-person',
    outcome: 'refused',
    async act(fleet) {
      const run = await fromTheUi(fleet, { input: { node: 'eu-central-1/c/n1' } });
      await fleet.reaches(run, 'waiting for approval');
      await fleet.operations.decide(run, 'reject', { by, reason });
      return run;
    },
  },
  {
    name: 'refused-by-the-guard',
    outcome: 'refused',
    async act(fleet) {
      const { regions } = loadConfig(fleet.sandbox.configPath);
      const balancer = haproxy(regions['eu-central-1']!.loadBalancer);
      const others = (await balancer.members()).filter(({ server }) => server !== 'a-n1');
      for (const { server } of others) await balancer.isolate(server);
      await fleet.break('eu-central-1/a/n1', 'kill');
      const run = await fleet.runOn('eu-central-1/a/n1');
      await fleet.reaches(run, 'refused');
      for (const { server } of others) await balancer.admit(server, 100);
      return run;
    },
  },
  {
    name: 'aborted-and-undone',
    outcome: 'aborted',
    async act(fleet) {
      const run = await needsAttention(fleet, 'ap-southeast-1', 'a');
      await fleet.operations.decide(run, 'retry', { by, reason });
      await until('it was retried', async () => (await fleet.operations.show(run)).state === 'running');
      await fleet.reaches(run, 'needs attention');
      await fleet.operations.decide(run, 'abort', { by, reason });
      return run;
    },
  },
  {
    name: 'aborted-and-kept',
    outcome: 'aborted',
    async act(fleet) {
      const run = await needsAttention(fleet, 'ap-southeast-1', 'b');
      await fleet.operations.decide(run, 'acknowledge', { by, reason });
      await fleet.operations.decide(run, 'abort', { by, reason, keep: true });
      return run;
    },
  },
  {
    name: 'escalated',
    outcome: 'escalated',
    async act(fleet) {
      const run = await needsAttention(fleet, 'eu-central-1', 'b');
      const { at, secrets } = (await openContext({ dir: fleet.sandbox.dir }))!;
      const supervisor = supervisorOf(at, secrets);
      await supervisor.signal('haproxy-eu-central-1', 'STOP');
      await fleet.operations.decide(run, 'abort', { by, reason });
      await fleet.reaches(run, 'escalated');
      await supervisor.signal('haproxy-eu-central-1', 'CONT');
      return run;
    },
  },
  {
    name: 'failed',
    outcome: 'failed',
    act: (fleet) => fromTheUi(fleet, { input: { node: 'us-east-1/a/n99' } }),
  },
];

async function start(fleet: TestFleet, node: string, mode: Mode = 'execute'): Promise<string> {
  return (await fleet.operations.start({ runbook: 'node-failover', input: { node }, mode, by })).run;
}

async function fromTheUi({ client }: TestFleet, request: object): Promise<string> {
  const workflowId = `from-the-ui-${Date.now()}`;
  await client.workflow.start('nodeFailover', { workflowId, taskQueue: 'switchover', args: [request] });
  return workflowId;
}

/** A node whose restarts fail, in a zone whose spare fails too. */
async function needsAttention(fleet: TestFleet, region: string, zone: string): Promise<string> {
  await fleet.break(`${region}/${zone}/s1`, 'crashloop');
  await fleet.break(`${region}/${zone}/n1`, 'crashloop');
  const run = await fleet.runOn(`${region}/${zone}/n1`);
  await fleet.reaches(run, 'needs attention');
  return run;
}
