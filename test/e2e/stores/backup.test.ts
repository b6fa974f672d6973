import { existsSync } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { pgbackrest } from '../../../activities/adapters/pgbackrest';
import { newestOf, type Backup, type Repository } from '../../../core/backup';
import { scratchProgram } from '../../../core/topology';
import { loadConfig } from '../../../operations';
import { status } from '../../../sandbox';
import { DATABASE_USERS } from '../../../sandbox/environment';
import { sharedAddresses } from '../../../sandbox/layout';
import { allProcesses } from '../../../sandbox/proc';
import { useDatabase } from '../../harness/database';
import { inspect } from '../../harness/inspect';
import { against, readinessOn } from '../../harness/readiness';
import { stepOf, testRuns, undone } from '../../harness/runs';
import { smallSandbox } from '../../harness/sandbox';
import { until } from '../../harness/until';

/** The runbooks of backups, on a real cluster with pgBackRest and two repositories. */
const options = { ...smallSandbox(24), backups: true };
const database = useDatabase(options);
const runs = testRuns(() => database.fleet);
const at = sharedAddresses(options.block);
const home = join(options.dir, 'backups');

const backups = () => {
  const { env, configPath } = database.fleet.sandbox;
  const config = loadConfig(configPath);
  return pgbackrest(config.database!, database.systems.fleet, env[DATABASE_USERS.postgres.variable]!);
};
/** Statements in the clients' way, or at a copy; what the last one answers. */
const sql = async (address: string, ...statements: string[]): Promise<Record<string, unknown>[]> => {
  const url = new URL(database.fleet.sandbox.databaseUrl);
  url.host = address;
  const client = new Client({ connectionString: url.href });
  await client.connect();
  try {
    let rows: Record<string, unknown>[] = [];
    for (const statement of statements) ({ rows } = await client.query(statement));
    return rows;
  } finally {
    await client.end();
  }
};
const newest = async (repository: Repository): Promise<Backup> =>
  newestOf(await backups().look(), repository)!;
/** pgBackRests that take or restore a backup; those that archive the log are the members' own. */
const atWork = async () =>
  (await allProcesses()).filter(
    ({ alive, command }) =>
      alive && command.includes(`${home}/`) && /pgbackrest .* (backup|restore)$/.test(command.trim()),
  );
const placeOf = (place: string) => readdir(join(home, place));
const stopped = async (place: 'verify' | 'restore') =>
  (await database.systems.fleet.status(scratchProgram(place))).pid === 0;

describe('before the first backup', () => {
  it('what would need one is not ready and says what to take; everything else is well', async () => {
    const found = await readinessOn(database.fleet);
    for (const id of ['backup-verify', 'restore-point-in-time', 'restore-swap-in']) {
      expect(found[id]).toMatchObject({ verdict: 'not ready' });
      expect(found[id]!.shortfalls[0]).toEqual({
        verdict: 'not ready',
        says: 'there is no backup in any repository',
        todo: 'take one now: `./switchover run backup-full`',
      });
    }
    for (const id of ['backup-full', 'node-failover', 'zone-failover', 'lb-failover', 'registry-failover'])
      expect(against(found[id]!)).toEqual([]);
    expect(found['database-failover']!.forecast).toEqual({ runs: 0, loss: 'no acknowledged row', rpoMs: 0 });
    expect(found['redis-failover']!.verdict).toBe('not here');
  });

  it('a pool that is emptied is found, by its region', async () => {
    const { balancerOf, close } = inspect(database.fleet.sandbox);
    const balancer = balancerOf('us-east-1');
    const servers = (await balancer.members()).map(({ server }) => server);
    await balancer.isolate(...servers);
    const found = await readinessOn(database.fleet);
    for (const server of servers) await balancer.admit(server, 100);
    close();
    expect(against(found['node-failover']!)).toContain('not ready: no node of us-east-1 serves');
    expect(against(found['zone-failover']!).join()).toContain('zone us-east-1/a must stay');
    expect(against(found['lb-failover']!)).toEqual([]);
  });

  it('a standby that falls behind is found, and so is one that is gone', async () => {
    const { members } = await database.systems.database.look();
    const late = members.find(({ agent }) => agent?.role === 'standby' && !agent.synchronous)!.member;
    const [receiver] = await database.at(late, 'SELECT pid FROM pg_stat_wal_receiver');
    process.kill(Number(receiver!['pid']), 'SIGSTOP');
    await sql(
      at.database,
      'CREATE TABLE bulk AS SELECT repeat(md5(g::text), 40) AS text FROM generate_series(1, 9000) g',
    );
    const behind = await readinessOn(database.fleet, { lagBytes: 4_000_000 });
    process.kill(Number(receiver!['pid']), 'SIGCONT');
    expect(against(behind['database-failover']!)[0]).toMatch(
      new RegExp(`^warning: standbys are behind ${database.primary}: ${late} [\\d.]+ MB, more than 4.0 MB`),
    );
    await database.fleet.breakDatabase('replica', 'kill');
    const gone = await readinessOn(database.fleet);
    expect(gone['database-failover']!.verdict).not.toBe('ready');
    expect(against(gone['database-failover']!).join()).toMatch(
      /does not follow|no synchronous standby answers/,
    );
  });

  it('a repository that is away is told, in its own words; the other one is seen all the same', async () => {
    const { fleet } = database.systems;
    await fleet.stop('storage');
    const { trouble } = await backups().look();
    const near = await backups().listed('near');
    await fleet.start('storage');
    expect(trouble).toEqual({ offsite: expect.stringContaining('unable to connect') });
    expect(near).toEqual([]);
  });
});

describe('with a full backup, in which a worker died', () => {
  beforeAll(async () => {
    database.workers.start();
    const run = await runs.start('backup-full', {});
    const [own] = await until('pgBackRest takes a backup', async () => {
      const found = await atWork();
      return found.length > 0 && found;
    });
    process.kill(own!.pid, 'SIGSTOP'); // so that it is not through before its worker is dead
    await database.workers.stop();
    expect((await atWork()).map(({ pid }) => pid)).toContain(own!.pid);
    process.kill(own!.pid, 'SIGCONT');
    database.workers.start();
    const { sentence } = await database.fleet.reaches(run, 'succeeded');
    expect(sentence).toMatch(
      /^\d{8}-\d{6}F \(full\) is in the near repository, \d{8}-\d{6}F \(full\) is in the offsite repository$/,
    );
    await database.workers.stop();
  });

  it('both repositories have it once, each with the row that was left before it', async () => {
    const { backups: all, trouble, archiving } = await backups().look();
    expect(all.map(({ repository, type, damaged }) => ({ repository, type, damaged }))).toEqual([
      { repository: 'near', type: 'full', damaged: false },
      { repository: 'offsite', type: 'full', damaged: false },
    ]);
    expect(trouble).toEqual({});
    // What has been run and is over is not missed.
    const { parts } = await status(options);
    expect(
      parts.filter(({ program, state }) => /backups|copies/.test(program) || state === 'exited'),
    ).toEqual([]);
    expect(archiving).toMatchObject({ failedAt: null });
    const found = await readinessOn(database.fleet);
    expect(['backup-verify', 'restore-swap-in'].flatMap((id) => against(found[id]!))).toEqual([]);
    const canaries = await sql(at.database, 'SELECT token FROM switchover_canary ORDER BY at');
    expect(canaries).toEqual(all.map(({ canary }) => ({ token: canary!.token })));
  });

  it('an instant between two commits under load comes back: the first row is there, the second is not', async () => {
    database.workers.start();
    await database.writing();
    const [first] = await sql(
      at.database,
      'CREATE TABLE known (name text)',
      "INSERT INTO known VALUES ('first')",
      `SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at`,
    );
    await sql(at.database, "INSERT INTO known VALUES ('second')");
    const report = await runs.carryOut('restore-point-in-time', { at: String(first!['at']) }, 'succeeded');
    expect(await sql(at.scratch.restore, 'SELECT name FROM known')).toEqual([{ name: 'first' }]);
    const [copy] = await sql(at.scratch.restore, 'SELECT count(*)::int AS rows FROM ledger');
    expect(copy!['rows']).toBeGreaterThan(300); // of those who wrote meanwhile
    expect(stepOf(report, 'Compare it with what it has to be')?.sentence).toContain('none of later');
    expect(await sql(at.database, 'SELECT name FROM known')).toHaveLength(2);
    expect(await database.book()).toMatchObject({ lost: [] });
  });

  describe('a copy in the place of the database', () => {
    const names = (address: string) => sql(address, 'SELECT name FROM known ORDER BY name');
    const agreed = async (): Promise<string> => {
      const run = await runs.start('restore-swap-in', {});
      await database.fleet.reaches(run, 'waiting for approval');
      await database.fleet.operations.decide(run, 'approve', {
        by: 'bob',
        reason: 'only the first row is right',
      });
      return run;
    };

    it('gives it back where that is aborted before it is started', async () => {
      database.workers.start();
      const run = await agreed();
      const report = await runs.abortIn(run, `Put the copy in the place of the data of ${database.primary}`);
      expect(undone(report)).toEqual([
        `Put the data of ${database.primary} back: done`,
        'Start the database as it was: done',
      ]);
      expect(await names(at.database)).toEqual([{ name: 'first' }, { name: 'second' }]);
    });

    it('has all of its instant and nothing later, on every member, though the worker dies in between', async () => {
      const worker = database.workers.start({ death: 'scratch.swap end' });
      const run = await agreed();
      await worker.exited;
      await expect(names(at.database)).rejects.toThrow('Connection terminated'); // nobody takes writes while data change places
      database.workers.start();
      const report = await database.fleet.reaches(run, 'succeeded');
      expect(report.sentence).toContain(`served by ${database.primary}; its data of before are kept there`);
      const { members, leader, clients } = await database.systems.database.look();
      expect([leader, clients.ok]).toEqual([database.primary, true]);
      for (const { member } of members)
        expect(await database.at(member, 'SELECT name FROM known')).toEqual([{ name: 'first' }]);
      const kept = await readdir(join(options.dir, `database-${database.primary}`));
      expect(kept.filter((name) => name.startsWith('data-before-'))).toHaveLength(1);
      expect(await placeOf('restore')).not.toContain('data');
      await backups().ship();
    });
  });

  it('nothing leads to an instant before it, nor to one that has not come; nothing is touched', async () => {
    database.workers.start();
    const early = await runs.carryOut('restore-point-in-time', { at: '2001-01-01T00:00:00Z' }, 'failed');
    expect(early.sentence).toMatch(
      /^nothing was touched, because nothing leads to 2001.*: it leads only forwards$/,
    );
    const late = await runs.carryOut('restore-point-in-time', { at: '2999-01-01T00:00:00Z' }, 'failed');
    expect(late.sentence).toContain('is in the future');
    expect(database.workers.effects()).toEqual([]);
  });

  it('the log of a new timeline gets into both repositories after the role was handed over, and a backup too', async () => {
    database.workers.start();
    await runs.carryOut('database-switchover', {}, 'succeeded');
    const [row] = await sql(
      at.database,
      'SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) AS timeline',
    );
    await backups().ship();
    const timeline = String(row!['timeline']);
    const near = await readdir(join(home, 'near/archive/main/15-1'));
    const offsite = await readdir(join(options.dir, 'storage/data/backups/archive/main/15-1'));
    for (const folders of [near, offsite])
      expect(folders.some((folder) => folder.startsWith(timeline))).toBe(true);
    const { sentence } = await runs.carryOut('backup-incremental', {}, 'succeeded');
    expect(sentence).toMatch(/^\d{8}-\d{6}F_\d{8}-\d{6}I \(incremental\) is in the near repository, /);
  });

  describe('a verification', () => {
    it('restores the newest one, though its worker dies; half a copy is never served, and nothing is left', async () => {
      database.workers.start();
      const run = await runs.start('backup-verify', { repository: 'offsite' });
      await until('a copy is being restored', async () => (await placeOf('verify')).includes('restoring'));
      await database.workers.stop();
      expect(await stopped('verify')).toBe(true);
      database.workers.start();
      const report = await database.fleet.reaches(run, 'succeeded');
      expect(report.sentence).toMatch(
        /^\S+ in the offsite repository was restored and read to [0-9A-F]+\/[0-9A-F]+, \d+ pages with their checksums$/,
      );
      expect(stepOf(report, 'Compare it with what it has to be')?.sentence).toMatch(
        /[1-9]\d+ tables and indexes are sound/,
      );
      expect(await placeOf('verify')).toEqual([]);
      expect(await stopped('verify')).toBe(true);
    });

    it('that is aborted leaves nothing either', async () => {
      database.workers.start();
      const run = await runs.start('backup-verify', {});
      const report = await runs.abortIn(run, 'Restore a copy beside the database');
      expect(undone(report)).toEqual(['Remove the copy: done']);
      expect(await placeOf('verify')).toEqual([]);
    });

    it('fails where a byte of the backup was flipped, and says where', async () => {
      database.workers.start();
      const { label } = await newest('near');
      const [full = ''] = label.split('_'); // an incremental one goes back to that
      const folder = join(home, 'near/backup/main', full, 'pg_data/base/1');
      const file = join(
        folder,
        (await readdir(folder)).find((name) => name.startsWith('1259.'))!,
      );
      await flip(file);
      const report = await runs.carryOut('backup-verify', {}, 'failed');
      expect(report.sentence).toMatch(
        /^nothing was touched, because the near repository is damaged: invalid checksum '\S+\/pg_data\/base\/1\/1259\.zst'; copy of the newest backup: skipped$/,
      );
      // The other repository is read all the same, and the copy that the damaged one would give proves nothing.
      expect(report.steps.map(({ title, state }) => `${title}: ${state}`).slice(1)).toEqual([
        'Read the near repository: failed',
        'Read the offsite repository: done',
        'copy of the newest backup: skipped',
      ]);
      expect(existsSync(join(home, 'verify/data'))).toBe(false);
    });
  });
});

async function flip(path: string): Promise<void> {
  const middle = Math.floor((await stat(path)).size / 2);
  const file = await open(path, 'r+');
  try {
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, middle);
    await file.write(Buffer.from([buffer[0]! ^ 1]), 0, 1, middle);
  } finally {
    await file.close();
  }
}
