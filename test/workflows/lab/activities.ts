import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { UpdateDefinition } from '@temporalio/common';
import { coordinatorActivities } from '../../../activities/coordinator';
import type { Deps } from '../../../activities/deps';
import { engineActivities } from '../../../activities/engine';
import { scheduleActivities } from '../../../activities/schedules';
import type { Config } from '../../../core/config';
import type { Experiment } from '../../../core/drill';
import type { Briefing, Intent } from '../../../core/run';
import type { Holding, Release, Rules } from '../../../core/coordination';
import { findRunbook } from '../../../core/runbook';
import { checkRequest } from '../../../core/runbook-schema';
import { Operations } from '../../../operations';
import { launch, type Launch } from '../../../operations/launch';
import { coordinatorId, holds, released } from '../../../workflows/messages';
import catalogue from './catalogue';
import type { World } from './script';

export const COORDINATOR = coordinatorId('lab');

/** What the lab's environment tells a run. */
export const BRIEFING: Briefing = {
  rtoMs: 5_000,
  escalation: [
    { to: 'ada', webhook: 'http://127.0.0.1:1/ada', after: '5m' },
    { to: 'bob', webhook: 'http://127.0.0.1:1/bob', after: '10m' },
  ],
  restarts: 2,
  ramp: [50, 100],
  zoneHoldMs: 100,
};

/** What the lab's coordinator may do: nothing is counted too often, a zone has eight nodes. */
export const RULES: Rules = {
  nodes: { global: 72, 'region/us-east-1': 24, 'zone/us-east-1/a': 8 },
  degraded: { zone: { share: 0.3, atLeast: 2 }, region: { share: 0.5, atLeast: 3 } },
  repeats: { node: { times: 1000, withinMs: 60_000 } },
  budget: { runsPerHour: 1000, capacityOut: 1 },
  windows: {},
};

const FAULT_AT = Date.parse('2030-01-02T03:04:10.000Z');

/** What a drill of the lab sees where the script says nothing: a node that is away for three seconds. */
export const DRILL: Omit<Experiment, 'rtoMs'> = {
  fault: { at: FAULT_AT, until: FAULT_AT + 60_000 },
  rescue: { run: 'node-failover-1', state: 'recovered', sentence: 'it serves again' },
  ledger: {
    everyMs: 1_000,
    buckets: Array.from({ length: 15 }, (_, nth) => ({
      at: FAULT_AT + (nth - 5) * 1_000,
      ok: 100,
      failed: 0,
      slowestMs: 10,
      serving: nth >= 5 && nth < 8 ? 1 : 2,
    })),
    sessionsLost: 0,
    failures: {},
  },
};

/**
 * The lab's activities. Each call goes by a name, e.g. `act drain`, under which the script of the workflow's world may
 * say what it does; here stands what is usual.
 */
export function labActivities(client: Client, world: () => World, config: Config) {
  const { endedRuns } = coordinatorActivities({ client } as Deps, () => undefined);
  const tell = async <Told>(update: UpdateDefinition<void, [Told]>, told: Told): Promise<void> => {
    try {
      await client.workflow.getHandle(COORDINATOR).executeUpdate(update, { args: [told] });
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error; // most tests go without one
    }
  };
  const operations = Object.assign(new Operations(client, 'lab', catalogue), {
    recordHolding: (holding: Holding) => tell(holds, holding),
    giveBack: (release: Release) => tell(released, release),
  });
  const { lendScope, recordHolding, giveBack, startNested, followNested, tellNested } = engineActivities({
    operations,
  } as unknown as Deps);
  const notifier = {
    notify: async (notice: unknown, key: string) =>
      world().call('tell', { notice, key }, () => {
        world().notices.push({ notice });
      }),
  };
  return {
    ...scheduleActivities({ operations, client, config, notifier } as unknown as Deps),

    ...drillActivities(world),

    look: async (asked: { thing: string }) =>
      world().call(`look ${asked.thing}`, asked, () => ({
        sentence: `${asked.thing} is fine`,
        value: `${asked.thing} as seen`,
      })),

    act: async (asked: { thing: string; how: Intent }) =>
      world().call(`act ${asked.thing}`, asked, () => ({
        changed: true,
        sentence: `${asked.thing} ${asked.how.mode === 'plan' ? 'would be' : 'was'} changed`,
        before: 'old',
        after: 'new',
      })),

    undo: async (asked: { thing: string; how: Intent }) =>
      world().call(`undo ${asked.thing}`, asked, () => ({
        changed: true,
        sentence: `${asked.thing} is as it was`,
      })),

    notifyPeople: async (asked: { notice: { to: string } }) => {
      world().notices.push(asked);
      await world().call(`call ${asked.notice.to}`, asked, () => undefined);
    },

    briefing: async (asked: { runbook: string; request: unknown }) =>
      world().call('briefing', asked, () => {
        checkRequest(findRunbook(catalogue, asked.runbook), asked.request);
        return BRIEFING;
      }),

    lendScope: async (asked: Holding) => world().call('lendScope', asked, () => lendScope(asked)),
    recordHolding,
    giveBack,
    startNested,
    followNested,
    tellNested,

    acquireScope: async (asked: unknown) => world().call('acquireScope', asked, () => ({ granted: true })),

    launchRun: async (asked: Omit<Launch, 'eager'>) =>
      world().call('launchRun', asked, () =>
        launch(client, { ...asked, warrant: { ...asked.warrant, granted: BRIEFING } }),
      ),

    evaluateReadiness: async (asked: unknown) => world().call('evaluateReadiness', asked, () => undefined),

    recordReadiness: async (changes: unknown) => world().call('recordReadiness', changes, () => undefined),

    tellUnready: async (asked: { subject: string }) => {
      world().notices.push(asked);
      await world().call('tellUnready', asked, () => undefined);
    },

    coordinationRules: async () => world().call('coordinationRules', {}, () => RULES),

    endedRuns: async (runs: string[]) => world().call('endedRuns', runs, () => endedRuns(runs)),
  };
}

/** A drill in which all goes well, as its activities tell it; times by the workflow's own reckoning. */
function drillActivities(world: () => World) {
  const found = (name: string, sentence: string, value: unknown) => async (asked: object) =>
    world().call(name, asked, () => ({ sentence, value }));
  const done = (name: string, sentence: string, after?: unknown) => async (asked: object) =>
    world().call(name, asked, () => ({ changed: true, sentence, after }));
  return {
    assessDrill: found('assess', 'nothing else is going on', { probes: ['127.0.0.1:1'], serving: 2 }),
    beginObserving: done('observe', 'clients call', true),
    awaitSteady: found('steady', '300 calls were well answered', { ok: 300, failed: 0 }),
    injectFault: done('break', 'it was killed', { at: DRILL.fault.at, until: DRILL.fault.until }),
    awaitRescue: found('rescue', 'it was healed', { claim: DRILL.rescue }),
    endDrill: done('end', 'clients and fault are away', { ledger: DRILL.ledger, fault: DRILL.fault }),
  };
}
