import type { ScheduleView } from '../../operations/schedules';
import { as, withServer } from './harness';

const view: ScheduleView = {
  name: 'backup-full',
  runbook: 'backup-full',
  times: '0 2 * * * UTC',
  input: {},
  mode: 'execute',
  paused: 'ada: the disk is full',
  last: { due: '2030-01-02T02:00:00.000Z', run: 'backup-full-due-20300102-020000' },
  missed: {
    count: 3,
    latest: [
      {
        schedule: 'backup-full',
        at: '2030-01-03T02:00:00.000Z',
        kind: 'paused',
        why: 'the schedule is paused',
      },
    ],
  },
};
const ask = (verb: string, name = 'backup-full', payload: object = { reason: 'the disk is full' }) =>
  ({ method: 'POST', url: `/api/v1/schedules/${name}/${verb}`, payload, headers: as('otto') }) as const;

describe('schedules over REST', () => {
  it('are listed with what they missed, and with those the environment does without', () =>
    withServer(async ({ app, operations }) => {
      operations.scheduled = [view];
      const { statusCode, body } = await app.inject({ url: '/api/v1/schedules', headers: as('vera') });
      expect(statusCode).toBe(200);
      const { schedules, off } = JSON.parse(body) as {
        schedules: unknown[];
        off: { name: string; why: string }[];
      };
      expect(schedules).toEqual([view]);
      expect(off.find(({ name }) => name === 'backup-full')?.why).toMatch(/has no backups/);
    }));

  it.each([
    ['pause', true],
    ['resume', false],
  ])('%s is done in the name of the token', (verb, paused) =>
    withServer(async ({ app, operations }) => {
      operations.scheduled = [view];
      const { statusCode } = await app.inject(ask(verb));
      expect(statusCode).toBe(200);
      expect(operations.moves).toEqual([
        { name: 'backup-full', paused, by: 'otto', reason: 'the disk is full' },
      ]);
    }),
  );

  it('trigger starts the run and says where it is', () =>
    withServer(async ({ app, operations }) => {
      operations.scheduled = [view];
      const { statusCode, body } = await app.inject(ask('trigger'));
      expect(statusCode).toBe(202);
      expect(JSON.parse(body)).toMatchObject({
        run: 'run-of-backup-full',
        links: { self: '/api/v1/runs/run-of-backup-full' },
      });
      expect(operations.starts[0]).toMatchObject({ by: 'otto', reason: 'the disk is full' });
    }));

  it.each<[string, Parameters<typeof ask>, number, string]>([
    ['a schedule there is not', ['pause', 'backups'], 404, 'UNKNOWN_SCHEDULE'],
    ['no reason', ['pause', 'backup-full', {}], 400, 'BAD_INPUT'],
  ])('%s is a problem', (_, how, status, code) =>
    withServer(async ({ app, operations }) => {
      operations.scheduled = [view];
      const { statusCode, body } = await app.inject(ask(...how));
      expect([statusCode, (JSON.parse(body) as { code: string }).code]).toEqual([status, code]);
    }),
  );

  it('a viewer may look, but not move them', () =>
    withServer(async ({ app }) => {
      const { statusCode } = await app.inject({ ...ask('pause'), headers: as('vera') });
      expect(statusCode).toBe(403);
    }));

  it('what they missed is in the metrics, and these do without it while Temporal is away', () =>
    withServer(async ({ app, operations }) => {
      operations.scheduled = [view];
      const metrics = async () => (await app.inject({ url: '/metrics' })).body;
      const first = await metrics();
      expect(first).toContain('switchover_schedule_missed_runs{schedule="backup-full"} 3');
      expect(first).toContain('switchover_schedule_paused{schedule="backup-full"} 1');
      operations.failure = new Error('away');
      expect(await metrics()).not.toContain('switchover_schedule_missed_runs{');
    }));
});
