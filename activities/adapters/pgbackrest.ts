import { Type, type Static } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import type { ClientBase, ClientConfig } from 'pg';
import type { BackupsConfig, DatabaseConfig } from '../../core/config';
import {
  REPOSITORIES,
  type Archiving,
  type Backup,
  type BackupTask,
  type BackupsView,
  type Canary,
  type Repository,
  type RepositoryCheck,
  type ScratchPlace,
} from '../../core/backup';
import { SwitchoverError, messageOf } from '../../core/errors';
import { BACKUPS_PROGRAM, repositoryProgram } from '../../core/topology';
import type { Backups, Fleet, Tell } from '../ports';
import { until } from '../until';
import { onConnection, serverOf } from './postgres-connections';

/** Longest wait for an answer of the database, ms. */
const TIMEOUT_MS = 3_000;
/** How long a look at a repository may take, ms; the far one may not answer. */
const INFO_MS = 60_000;
/** How long a piece of work may take, ms: a day. */
const WORK_MS = 86_400_000;
/** How long a segment of the log may take into every repository, ms. */
const SHIP_MS = 60_000;
/** Rows of canaries from before that are of no use to any restore (REQUIREMENTS B3: seven days). */
const CANARIES_KEPT = '30 days';

/** The table with a row a canary. */
export const CANARIES = 'switchover_canary';
/** PostgreSQL's pattern of an ISO time with microseconds; of a time in UTC. */
export const ISO = `'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'`;

/** What is used of what pgBackRest says there is. Times in seconds since the epoch, sizes in bytes. */
const BackupInfo = Type.Object({
  label: Type.String(),
  type: Type.Union([Type.Literal('full'), Type.Literal('incr'), Type.Literal('diff')]),
  timestamp: Type.Object({ start: Type.Integer(), stop: Type.Integer() }),
  lsn: Type.Object({ start: Type.String(), stop: Type.String() }),
  info: Type.Object({ size: Type.Number(), repository: Type.Object({ delta: Type.Number() }) }),
  error: Type.Optional(Type.Boolean()),
  annotation: Type.Optional(Type.Record(Type.String(), Type.String())),
});
const Stanza = Type.Object({
  backup: Type.Array(BackupInfo),
  repo: Type.Array(
    Type.Object({
      status: Type.Object({ code: Type.Integer(), message: Type.String() }),
    }),
  ),
});
const Info = Type.Array(Stanza);
const Checked = Type.Object({ files: Type.Integer(), damaged: Type.Array(Type.String()) });

/** pgBackRest's word for a repository in which there is no backup yet: nothing is wrong with it. */
const NO_BACKUP = 2;

/**
 * pgBackRest 2.41 or later, through the programs of sandbox/backups that a supervisor has. What one is told is named by a key: whoever
 * asks for the same again, because a worker died, waits for what is under way instead of beginning it a second time.
 *
 * Traps:
 * - pgBackRest's times are whole seconds, cut off. The end of a backup is told a second later, so that it is never too early.
 * - `archive-push` succeeds only where every repository has the segment: one that is away holds up both.
 *
 * @throws FLEET_REFUSED, with pgBackRest's own words; DATABASE_UNREACHABLE
 */
export function pgbackrest(database: DatabaseConfig, fleet: Pick<Fleet, 'run'>, password: string): Backups {
  const sql = async <T>(question: (client: ClientBase) => Promise<T>): Promise<T> => {
    try {
      const { hostname, port } = new URL(database.url);
      return await onConnection(
        serverOf(database, `${hostname}:${port || '5432'}`, password, TIMEOUT_MS),
        question,
      );
    } catch (error) {
      throw new SwitchoverError('DATABASE_UNREACHABLE', `database ${database.scope}: ${messageOf(error)}`);
    }
  };

  /** What a repository says of itself, and why it is not well. */
  const infoOf = async (repository: Repository): Promise<{ backups: Backup[]; trouble?: string }> => {
    const printed = await fleet.run(repositoryProgram(repository), INFO_MS);
    const info = Value.Parse(Info, JSON.parse(printed));
    const bad = info
      .flatMap(({ repo }) => repo)
      .find(({ status }) => status.code !== 0 && status.code !== NO_BACKUP);
    const backups = info.flatMap(({ backup }) => backup.map((one) => toBackup(one, repository)));
    return { backups, ...(bad ? { trouble: bad.status.message } : {}) };
  };

  return {
    async look() {
      const [archiving, ...infos] = await Promise.all([
        sql(archivingOf).catch(() => undefined),
        ...REPOSITORIES.map((repository) => infoOf(repository).catch(nothingOf)),
      ]);
      const trouble: BackupsView['trouble'] = {};
      for (const [i, repository] of REPOSITORIES.entries())
        if (infos[i]?.trouble !== undefined) trouble[repository] = infos[i].trouble;
      return {
        backups: infos.flatMap(({ backups }) => backups),
        trouble,
        ...(archiving ? { archiving } : {}),
      };
    },

    async listed(repository) {
      const { backups, trouble } = await infoOf(repository);
      if (trouble === undefined) return backups;
      throw new SwitchoverError('FLEET_REFUSED', `the ${repository} repository is not well: ${trouble}`);
    },

    leaveCanary: (token) => sql((client) => leaveCanary(client, token)),

    ship: () =>
      sql(async (client) => {
        const { rows } = await client.query<{ segment: string }>(
          'SELECT pg_walfile_name(pg_switch_wal()) AS segment',
        );
        const { segment } = rows[0]!;
        await until(`${segment} of the log is not in every repository`, SHIP_MS, async () => {
          const ready = `SELECT FROM pg_ls_archive_statusdir() WHERE name = $1 || '.ready'`;
          return (await client.query(ready, [segment])).rowCount === 0;
        });
      }),

    take: async (order, tell) => void (await work(fleet, { do: 'backup', ...order }, tell)),

    async read(repository, tell) {
      const answer = await work(fleet, { do: 'read', key: `read ${repository}`, repository }, tell);
      return Value.Parse(Checked, answer) satisfies RepositoryCheck;
    },
  };
}

/** Has a piece of work done, after what is under way. @returns what is printed at its end */
export async function work(fleet: Pick<Fleet, 'run'>, task: BackupTask, tell: Tell): Promise<object> {
  for (const end = Date.now() + WORK_MS; ;) {
    const printed = await fleet.run(BACKUPS_PROGRAM, WORK_MS, { input: JSON.stringify(task), tell });
    const { key, ...answer } = JSON.parse(printed) as { key: string | null };
    if (key === task.key) return answer;
    if (Date.now() > end) throw new SwitchoverError('VERIFY_FAILED', `${task.key} never had its turn`);
  }
}

/** Where the copy in a place is served, and by whom it is asked. */
export function scratchServer(
  { scratch }: BackupsConfig,
  database: DatabaseConfig,
  place: ScratchPlace,
  password: string,
): ClientConfig {
  return serverOf(database, scratch[place], password, TIMEOUT_MS);
}

async function archivingOf(client: ClientBase): Promise<Archiving> {
  const { rows } = await client.query<{ waiting: number; last: string | null; failed: string | null }>(`
    SELECT (SELECT count(*)::int FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready') AS waiting,
           to_char(last_archived_time AT TIME ZONE 'UTC', ${ISO}) AS last,
           CASE WHEN last_failed_time > coalesce(last_archived_time, '-infinity')
                THEN to_char(last_failed_time AT TIME ZONE 'UTC', ${ISO}) END AS failed
      FROM pg_stat_archiver`);
  const { waiting, last, failed } = rows[0]!;
  return { waiting, lastAt: last, failedAt: failed };
}

async function leaveCanary(client: ClientBase, token: string): Promise<Canary> {
  await client.query(
    `CREATE TABLE IF NOT EXISTS ${CANARIES} (token text PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp())`,
  );
  await client.query(`DELETE FROM ${CANARIES} WHERE at < now() - interval '${CANARIES_KEPT}'`);
  await client.query(`INSERT INTO ${CANARIES} (token) VALUES ($1) ON CONFLICT DO NOTHING`, [token]);
  const { rows } = await client.query<Canary>(
    `SELECT token, to_char(at AT TIME ZONE 'UTC', ${ISO}) AS at FROM ${CANARIES} WHERE token = $1`,
    [token],
  );
  return rows[0]!;
}

/** What is seen of a repository that does not answer; the other one may. @throws what keeps any program from being run */
function nothingOf(error: SwitchoverError): { backups: Backup[]; trouble: string } {
  if (error.code === 'FLEET_UNREACHABLE') throw error;
  return { backups: [], trouble: error.message };
}

function toBackup(info: Static<typeof BackupInfo>, repository: Repository): Backup {
  const { label, type, timestamp, lsn, info: sizes, annotation = {} } = info;
  const { 'canary-token': token, 'canary-at': at } = annotation;
  return {
    label,
    repository,
    type: type === 'full' ? 'full' : 'incremental',
    startedAt: isoOf(timestamp.start),
    stoppedAt: isoOf(timestamp.stop + 1),
    from: lsn.start,
    to: lsn.stop,
    bytes: sizes.size,
    storedBytes: sizes.repository.delta,
    damaged: info.error ?? false,
    ...(token !== undefined && at !== undefined ? { canary: { token, at } } : {}),
  };
}

function isoOf(seconds: number): string {
  return new Date(seconds * 1_000).toISOString();
}
