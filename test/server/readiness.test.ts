import { evaluate } from '../../core/readiness';
import type { RecoveryRow } from '../../core/journal';
import { SwitchoverError } from '../../core/errors';
import { buildApp } from '../../server/app';
import { catalogue } from '../../operations';
import { config as fleet, well } from '../core/readiness/world';
import { FakeOperations } from './fake-operations';
import { as, config, tokens, withServer } from './harness';

const view = evaluate(catalogue, fleet, {
  ...well,
  sessions: { said: 'refused', code: 'SESSIONS_UNREACHABLE' },
});

it('tells how the runbooks stand, and that nobody has looked', async () =>
  withServer(async ({ app, operations }) => {
    const get = () => app.inject({ url: '/api/v1/readiness', headers: as('vera') });
    expect((await get()).json()).toMatchObject({
      status: 503,
      detail: expect.stringContaining('nobody has evaluated'),
    });
    operations.standing = view;
    expect((await get()).json()).toEqual(JSON.parse(JSON.stringify(view)));
    expect((await app.inject({ url: '/api/v1/readiness' })).statusCode).toBe(401);
  }));

it('measures each runbook, those that are not for the environment left out', async () =>
  withServer(async ({ app, operations }) => {
    const { runbooks } = view;
    operations.standing = {
      ...view,
      runbooks: [{ ...runbooks[0]!, verdict: 'not here' }, ...runbooks.slice(1)],
    };
    const { body } = await app.inject({ url: '/metrics' });
    expect(body).toContain('switchover_runbook_readiness{runbook="session-migration",verdict="not ready"} 1');
    expect(body).toContain('switchover_runbook_readiness{runbook="backup-full",verdict="ready"} 1');
    expect(body).toContain('switchover_runbook_readiness{runbook="backup-full",verdict="not ready"} 0');
    expect(body).not.toContain(`switchover_runbook_readiness{runbook="${runbooks[0]!.runbook}"`);
  }));

it('without an answer of Temporal no runbook is ready', async () =>
  withServer(async ({ app, operations }) => {
    operations.failure = new SwitchoverError('TEMPORAL_UNREACHABLE', 'away');
    const { body } = await app.inject({ url: '/metrics' });
    for (const { id } of catalogue)
      expect(body).toContain(`switchover_runbook_readiness{runbook="${id}",verdict="unknown"} 1`);
    expect(body).not.toMatch(/verdict="ready"} 1/);
  }));

describe('recoveries', () => {
  const row: RecoveryRow = {
    runbook: 'zone-failover',
    level: 'zone',
    region: 'us-east-1',
    count: 2,
    recovered: 1,
    mttrP50Ms: 9_000,
    objectiveMs: 30_000,
    rtoAchieved: 1,
    rpoAchieved: 1,
    rpoCounted: 2,
  };

  it('are told of the failovers alone, since so many days', async () => {
    const asked: unknown[] = [];
    const reader = {
      recovery: async (runbooks: readonly string[], since: string) => {
        asked.push([
          runbooks.includes('backup-full'),
          Math.round((Date.now() - Date.parse(since)) / 86_400_000),
        ]);
        return [row];
      },
    };
    const app = await buildApp({
      config,
      operations: new FakeOperations(),
      tokens,
      namespace: 'default',
      reader,
    });
    const answer = await app.inject({ url: '/api/v1/reports/mttr?days=7', headers: as('vera') });
    expect(answer.json()).toEqual({ since: expect.any(String), rows: [row] });
    expect(asked).toEqual([[false, 7]]);
    await app.close();
  });

  it('are not known without a journal', async () =>
    withServer(async ({ app }) => {
      const answer = await app.inject({ url: '/api/v1/reports/mttr', headers: as('vera') });
      expect(answer.json()).toMatchObject({ status: 502, code: 'JOURNAL_UNREACHABLE' });
    }));
});
