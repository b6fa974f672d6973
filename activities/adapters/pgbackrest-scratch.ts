import { setTimeout as delay } from 'node:timers/promises';
import { Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import type { ClientBase } from 'pg';
import type { BackupsConfig, DatabaseConfig } from '../../core/config';
import {
  REPOSITORIES,
  type Canary,
  type Copies,
  type PageCheck,
  type ScratchPlace,
  type ScratchState,
} from '../../core/backup';
import { SwitchoverError } from '../../core/errors';
import { COPIES_PROGRAM, scratchProgram } from '../../core/topology';
import type { Fleet, Scratch } from '../ports';
import { CANARIES, ISO, scratchServer, work } from './pgbackrest';
import { onConnection } from './postgres-connections';
import { trouble } from './trouble';

const LOOK_EVERY_MS = 100;
/** How long a copy may take to read what is in the log since its backup, ms: a day. */
const REPLAY_MS = 86_400_000;
/** Longest wait for an answer of a copy that reads itself as a whole, ms. */
const READ_MS = 3_600_000;
const UNDEFINED_TABLE = '42P01';

const Receipt = Type.Object({
  key: Type.String(),
  backup: Type.String(),
  repository: Type.Union(REPOSITORIES.map((name) => Type.Literal(name))),
  to: Type.Union([Type.String(), Type.Null()]),
});
const Printed = Type.Object({
  verify: Type.Union([Receipt, Type.Null()]),
  restore: Type.Union([Receipt, Type.Null()]),
});
const Swapped = Type.Object({ aside: Type.String() });
const Pages = Type.Object({ files: Type.Integer(), blocks: Type.Integer() });

/** How far a copy is: at the end of the log it takes writes, at an instant before that it waits. */
const PROGRESS = `
  SELECT NOT pg_is_in_recovery() OR pg_get_wal_replay_pause_state() = 'paused' AS arrived,
         coalesce(pg_last_wal_replay_lsn()::text, '-') AS lsn
    FROM (SELECT 1) AS always`;

const STATE = `
  SELECT timeline_id AS timeline, coalesce(pg_last_wal_replay_lsn(), pg_current_wal_lsn())::text AS lsn,
         to_char(pg_last_xact_replay_timestamp() AT TIME ZONE 'UTC', ${ISO}) AS "lastCommitAt"
    FROM pg_control_checkpoint()`;

/** Every table that has a file, with what is wrong in it. Tables of sessions are empty in a copy. */
const TABLES = `
  SELECT c.oid::regclass::text AS name, msg
    FROM pg_class c LEFT JOIN LATERAL verify_heapam(c.oid) ON true
   WHERE c.relkind IN ('r', 't', 'm') AND c.relpersistence = 'p'`;
const INDEXES = `
  SELECT c.oid::regclass::text AS name
    FROM pg_index JOIN pg_class c ON c.oid = indexrelid JOIN pg_am a ON a.oid = c.relam
   WHERE amname = 'btree' AND indisvalid AND c.relpersistence = 'p' AND c.relkind = 'i'`;

/**
 * Copies that pgBackRest has restored. The server of one is the supervisor's, so that whoever had it started may die.
 * @throws FLEET_REFUSED, with pgBackRest's or PostgreSQL's own words; DATABASE_UNREACHABLE where a copy does not answer
 */
export function pgbackrestScratch(
  config: BackupsConfig,
  database: DatabaseConfig,
  fleet: Fleet,
  password: string,
): Scratch {
  const sql = async <T>(
    place: ScratchPlace,
    question: (client: ClientBase) => Promise<T>,
    withinMs?: number,
  ) => {
    const server = scratchServer(config, database, place, password);
    return onConnection({ ...server, ...(withinMs ? { query_timeout: withinMs } : {}) }, question);
  };

  return {
    async copies() {
      return Value.Parse(Printed, JSON.parse(await fleet.run(COPIES_PROGRAM))) satisfies Copies;
    },

    restore: async (order, tell) => void (await work(fleet, { do: 'restore', ...order }, tell)),

    async start(place, tell) {
      const program = scratchProgram(place);
      await fleet.start(program);
      for (const end = Date.now() + REPLAY_MS; ; await delay(LOOK_EVERY_MS)) {
        try {
          const { rows } = await sql(place, (client) =>
            client.query<{ arrived: boolean; lsn: string }>(PROGRESS),
          );
          if (rows[0]!.arrived) return;
          tell(`has read the log up to ${rows[0]!.lsn}`);
        } catch (error) {
          const { pid, description } = await fleet.status(program);
          if (pid !== 0 && Date.now() < end) continue; // not consistent yet, or busy
          const words = await fleet.lastWords(program);
          const why = pid === 0 ? description : trouble(error, READ_MS);
          throw new SwitchoverError('FLEET_REFUSED', `the copy in ${place} does not start: ${why}: ${words}`);
        }
      }
    },

    async inspect(place) {
      try {
        return await sql(place, stateOf, READ_MS);
      } catch (error) {
        throw new SwitchoverError('DATABASE_UNREACHABLE', `the copy in ${place}: ${trouble(error, READ_MS)}`);
      }
    },

    async promote(place) {
      return sql(
        place,
        async (client) => {
          await client.query('SELECT pg_promote(true, 3600) WHERE pg_is_in_recovery()');
          const { rows } = await client.query<{ name: string }>(
            'SELECT pg_walfile_name(pg_current_wal_lsn()) AS name',
          );
          return Number.parseInt(rows[0]!.name.slice(0, 8), 16);
        },
        READ_MS,
      );
    },

    async stop(place) {
      // What it has in memory goes to disk first: the supervisor does not wait long before it kills.
      await sql(place, (client) => client.query('CHECKPOINT'), READ_MS).catch(() => undefined);
      await fleet.stop(scratchProgram(place));
    },

    async check(order, tell) {
      return Value.Parse(Pages, await work(fleet, { do: 'check', ...order }, tell)) satisfies PageCheck;
    },

    async swap(which, order) {
      const answer = await work(fleet, { do: which, ...order }, () => undefined);
      return Value.Parse(Swapped, answer).aside;
    },

    remove: async (order) => void (await work(fleet, { do: 'remove', ...order }, () => undefined)),
  };
}

async function stateOf(client: ClientBase): Promise<ScratchState> {
  const { rows } = await client.query<Pick<ScratchState, 'timeline' | 'lsn' | 'lastCommitAt'>>(STATE);
  return { ...rows[0]!, canaries: await canariesOf(client), ...(await structureOf(client)) };
}

async function canariesOf(client: ClientBase): Promise<Canary[]> {
  try {
    const { rows } = await client.query<Canary>(
      `SELECT token, to_char(at AT TIME ZONE 'UTC', ${ISO}) AS at FROM ${CANARIES} AS c ORDER BY c.at DESC LIMIT 100`,
    );
    return rows;
  } catch (error) {
    if ((error as { code?: string }).code === UNDEFINED_TABLE) return []; // of before the first one
    throw error;
  }
}

/** Reads every table and index. One that waits at an instant takes no writes, and so no extension: there it is not read. */
async function structureOf(client: ClientBase): Promise<Pick<ScratchState, 'relations' | 'wrong'>> {
  const { rows } = await client.query<{ reads: boolean }>(
    `SELECT NOT pg_is_in_recovery() OR EXISTS (SELECT FROM pg_extension WHERE extname = 'amcheck') AS reads`,
  );
  if (!rows[0]!.reads) return { relations: 0, wrong: [] };
  await client.query('CREATE EXTENSION IF NOT EXISTS amcheck');
  const tables = (await client.query<{ name: string; msg: string | null }>(TABLES)).rows;
  const indexes = (await client.query<{ name: string }>(INDEXES)).rows;
  const wrong = tables.flatMap(({ name, msg }) => (msg === null ? [] : [`${name}: ${msg}`]));
  for (const { name } of indexes)
    await client.query('SELECT bt_index_check($1::regclass)', [name]).catch((error: Error) => {
      wrong.push(`${name}: ${error.message}`);
    });
  const relations = new Set(tables.map(({ name }) => name)).size + indexes.length;
  return { relations, wrong };
}
