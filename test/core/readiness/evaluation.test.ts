import type { BackupsView } from '../../../core/backup';
import { asOf, changesOf, evaluate } from '../../../core/readiness';
import { commonOf, readinessPage, unreadyNotice } from '../../../core/readiness/page';
import { catalogue } from '../../../operations';
import { AT, config, well } from './world';

/** The fleet without any backup. */
const bare = {
  ...well,
  backups: { value: { ...(well.backups as { value: BackupsView }).value, backups: [] } },
};

describe('an evaluation', () => {
  const view = evaluate(catalogue, config, well);
  const empty = evaluate(catalogue, config, bare);

  it('that was not repeated says nothing any more', () => {
    expect(asOf(view, '2030-01-02T03:14:00.000Z')).toBe(view);
    const stale = asOf(view, '2030-01-02T03:15:00.000Z');
    expect(new Set(stale.runbooks.map(({ verdict }) => verdict))).toEqual(new Set(['unknown']));
    expect(stale.runbooks[0]!.shortfalls[0]!.says).toBe(
      'it was last looked at 11 min ago, and should be every 5 min',
    );
  });

  it('is compared with the one before', () => {
    expect(changesOf(view, view)).toEqual([]);
    expect(changesOf(undefined, view)).toHaveLength(catalogue.length);
    expect(changesOf(view, empty)).toContainEqual({
      runbook: 'backup-verify',
      at: AT,
      from: 'ready',
      to: 'not ready',
      because: 'there is no backup in any repository',
    });
  });

  it('says once what stands against several runbooks, with what to do', () => {
    expect(commonOf(empty)).toEqual([
      {
        verdict: 'not ready',
        runbooks: ['backup-verify', 'restore-point-in-time', 'restore-swap-in'],
        says: ['there is no backup in any repository'],
        todo: 'take one now: `./switchover run backup-full`',
      },
    ]);
    const never = evaluate(catalogue, config, { ...well, history: {} });
    expect(commonOf(never)).toHaveLength(1);
    expect(unreadyNotice(empty, ['backup-verify', 'restore-swap-in'])).toEqual({
      subject: '2 runbooks are not ready: there is no backup in any repository',
      body: expect.stringContaining('take one now: `./switchover run backup-full`'),
    });
  });

  it('is a page for the Temporal UI', () => {
    const page = readinessPage(empty);
    expect(page).toContain(
      `**Runbooks: 3 not ready, ${catalogue.length - 3} ready.** Evaluated at 03:04:05 UTC, and every 5 min.`,
    );
    expect(page).toContain('| node-failover | ✓ ready | 900 ms (of 7 runs) | 5 s | 2030-01-02 |');
    expect(page).toContain(
      '- ✗ **not ready** backup-verify, restore-point-in-time, restore-swap-in: there is no backup',
    );
  });
});
