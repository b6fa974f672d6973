import { haproxy } from '../../activities/adapters/haproxy';
import type { LoadBalancer, Member } from '../../activities/ports';
import { loadConfig } from '../../operations';
import { testRuns } from '../harness/runs';
import type { TestFleet } from '../harness/fleet';
import type { Scenario } from './scenarios';

const by = 'ada';
const reason = 'recording';

/** The ways in which runs on a zone end: found by the monitor, or asked for where nothing has failed. */
export const ZONE_SCENARIOS: readonly Scenario[] = [
  {
    name: 'zone-recovered',
    outcome: 'recovered',
    act: (fleet) => zoneBroken(fleet, 'us-east-1/a'),
  },
  {
    name: 'zone-brought-back',
    outcome: 'recovered',
    async act(fleet) {
      const { balancer, members } = await poolOf(fleet, 'us-east-1');
      const own = members.filter(({ server }) => server.startsWith('a-'));
      await balancer.isolate(...own.map(({ server }) => server));
      return start(fleet, 'zone-failback', 'us-east-1/a');
    },
  },
  {
    name: 'zone-not-out',
    outcome: 'succeeded',
    act: (fleet) => start(fleet, 'zone-failback', 'us-east-1/c'),
  },
  {
    name: 'zone-serves',
    outcome: 'succeeded',
    act: (fleet) => start(fleet, 'zone-failover', 'us-east-1/c'),
  },
  {
    name: 'zone-planned',
    outcome: 'planned',
    act: (fleet) => start(fleet, 'zone-failover', 'us-east-1/c', 'plan'),
  },
  {
    name: 'zone-refused',
    outcome: 'refused',
    async act(fleet) {
      const { balancer, members } = await poolOf(fleet, 'us-east-1');
      const others = members.filter(({ server }) => !server.startsWith('c-')).map(({ server }) => server);
      await balancer.isolate(...others);
      const run = await zoneBroken(fleet, 'us-east-1/c');
      await fleet.reaches(run, 'refused');
      for (const server of others) await balancer.admit(server, 100);
      return run;
    },
  },
  {
    name: 'zone-aborted-and-undone',
    outcome: 'aborted',
    async act(fleet) {
      for (const node of ['n1', 'n2']) await fleet.break(`eu-central-1/c/${node}`, 'crashloop');
      const run = await fleet.runOn('zone/eu-central-1/c');
      await fleet.reaches(run, 'needs attention');
      await fleet.operations.decide(run, 'abort', { by, reason });
      return run;
    },
  },
];

function start(fleet: TestFleet, runbook: string, zone: string, mode?: 'plan'): Promise<string> {
  return testRuns(() => fleet).start(runbook, { zone }, mode);
}

/** All of a zone's nodes are killed; the run that the monitor starts. */
async function zoneBroken(fleet: TestFleet, zone: string): Promise<string> {
  await fleet.breakZone(zone, 'kill', 1);
  return fleet.runOn(`zone/${zone}`);
}

async function poolOf(
  { sandbox }: TestFleet,
  region: string,
): Promise<{ balancer: LoadBalancer; members: Member[] }> {
  const balancer = haproxy(loadConfig(sandbox.configPath).regions[region]!.loadBalancer);
  return { balancer, members: await balancer.members() };
}
