import type { Briefing, Intent } from '../../../core/run';
import { findRunbook } from '../../../core/runbook';
import { checkRequest } from '../../../core/runbook-schema';
import catalogue from './catalogue';
import type { World } from './script';

/** What the lab's environment tells a run. */
export const BRIEFING: Briefing = {
  coordinator: 'coordinator-lab',
  rtoMs: 5_000,
  escalation: [
    { to: 'ada', webhook: 'http://127.0.0.1:1/ada', after: '5m' },
    { to: 'bob', webhook: 'http://127.0.0.1:1/bob', after: '10m' },
  ],
  restarts: 2,
  ramp: [50, 100],
};

/** The lab's activities. Each call goes by a name, e.g. `act drain`, under which a script may say what it does. */
export function labActivities(world: () => World) {
  return {
    look: async ({ thing }: { thing: string }) =>
      world().call(`look ${thing}`, () => ({ sentence: `${thing} is fine`, value: `${thing} as seen` })),

    act: async ({ thing, how }: { thing: string; how: Intent }) =>
      world().call(
        `act ${thing}`,
        () => ({
          changed: true,
          sentence: `${thing} ${how.mode === 'plan' ? 'would be' : 'was'} changed`,
          before: 'old',
          after: 'new',
        }),
        how.key,
      ),

    undo: async ({ thing }: { thing: string }) =>
      world().call(`undo ${thing}`, () => ({ changed: true, sentence: `${thing} is as it was` })),

    notifyPeople: async (sent: { notice: { to: string }; key: string }) => {
      world().notices.push(sent);
      await world().call(`call ${sent.notice.to}`, () => undefined);
    },

    briefing: async ({ runbook, request }: { runbook: string; request: unknown }) =>
      world().call('briefing', () => {
        checkRequest(findRunbook(catalogue, runbook), request);
        return BRIEFING;
      }),

    acquireScope: async () => world().call('acquireScope', () => ({ granted: true })),
  };
}
