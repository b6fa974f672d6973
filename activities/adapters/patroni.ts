import { Type, type Static, type TSchema } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import type { ClientBase } from 'pg';
import { Agent, request } from 'undici';
import type { DatabaseConfig } from '../../core/config';
import type { DatabaseMember, PostgresState } from '../../core/database';
import { SwitchoverError } from '../../core/errors';
import type { Database } from '../ports';
import { keptConnections, onConnection, serverOf, type Asking } from './postgres-connections';
import { trouble } from './trouble';

/** Longest wait for one answer, ms: a member that needs longer is no use to its clients. */
const TIMEOUT_MS = 800;
/** Longest time in which a primary writes all it has in memory to disk, ms: what it takes is not waited for by anybody. */
const CHECKPOINT_MS = 30_000;
/** Patroni answers a switchover once it is over, which it gives up after max(10 s, its lease), ms. */
const SWITCH_MS = 40_000;
/**
 * Every call on a connection of its own: a kept one to a hung server, or the wait for one, would hold back the next call past its time.
 */
const dispatcher = new Agent({ pipelining: 0, connect: { timeout: TIMEOUT_MS } });
/** The table in which a proof leaves its row. */
const PROOF = 'switchover_proof';
const UNDEFINED_TABLE = '42P01';

/** What is used of what a Patroni says of itself. Version 3 says `master` and `replica`, 4 `primary`; states differ too. */
const Report = Type.Object({
  state: Type.String(),
  role: Type.String(),
  sync_standby: Type.Optional(Type.Boolean()),
  /** When it reached etcd last, seconds since the epoch. */
  dcs_last_seen: Type.Optional(Type.Integer()),
});

/** What is used of the settings that all Patronis of a cluster share. */
const Shared = Type.Object({ synchronous_mode: Type.Optional(Type.Unknown()) });

/** What is used of etcd's answer to a range request; keys and values in base64. */
const Range = Type.Object({ kvs: Type.Optional(Type.Array(Type.Object({ value: Type.String() }))) });
/** Of its own health: whether it has a leader and can write. */
const Health = Type.Object({ health: Type.String() });
const Transaction = Type.Object({ succeeded: Type.Optional(Type.Boolean()) });

/** A server's own word on what it has and where it has it from. */
const STATE = `
  SELECT NOT pg_is_in_recovery() AS writable,
         coalesce(received_tli, (SELECT timeline_id FROM pg_control_checkpoint())) AS timeline,
         (CASE WHEN pg_is_in_recovery()
               THEN greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())
               ELSE pg_current_wal_lsn() END - '0/0')::float8 AS lsn,
         CASE WHEN status = 'streaming' THEN sender_host || ':' || sender_port END AS sender,
         (SELECT json_object_agg(name, setting::int) FROM pg_settings
           WHERE name IN ('max_connections', 'max_worker_processes', 'max_wal_senders',
                          'max_prepared_transactions', 'max_locks_per_transaction')) AS limits,
         extract(epoch FROM clock_timestamp() - last_msg_receipt_time)::float8 AS silent
    FROM (SELECT 1) AS always LEFT JOIN pg_stat_wal_receiver ON true`;

interface StateRow {
  writable: boolean;
  timeline: number;
  lsn: number;
  limits: Record<string, number>;
  sender: string | null;
  silent: number | null;
}

/**
 * PostgreSQL under Patroni 3 or 4 with etcd 3. Each member is asked at its Patroni's REST API and at its PostgreSQL, each call on
 * a connection of its own, so that what one was or said before tells nothing about now; but for what is asked all the time.
 *
 * Traps:
 * - The lease is released by comparing and deleting in one transaction: a key that has come to another meanwhile stays.
 * - In synchronous mode a write waits for the standby, so one that gets no answer in time may yet be there.
 * - Patroni's REST API answers 200 on `/patroni` whatever the state of its PostgreSQL; the state is in the answer.
 *
 * @throws DATABASE_UNREACHABLE, for an error that a server answers with as well.
 */
export function patroni(config: DatabaseConfig, secrets: { postgres: string; patroni: string }): Database {
  const names = Object.keys(config.members);
  const addresses = Object.values(config.etcd);
  const byAddress = new Map(
    Object.entries(config.members).map(([member, { postgres }]) => [postgres, member]),
  );
  const fail = (where: string, what: string, error: unknown): never => {
    throw new SwitchoverError('DATABASE_UNREACHABLE', `${where} on ${what}: ${trouble(error, TIMEOUT_MS)}`);
  };

  const memberOf = (member: string) => {
    const found = config.members[member];
    if (found) return found;
    const message = `"${member}" is not a member of the database; there are ${names.join(', ')}`;
    throw new SwitchoverError('UNKNOWN_TARGET', message);
  };

  const kept = keptConnections();
  const serverAt = (address: string) => serverOf(config, address, secrets.postgres, TIMEOUT_MS);

  const stateOf = async (member: string, asking: Asking): Promise<PostgresState> => {
    const server = serverAt(memberOf(member).postgres);
    const { rows } = await asking(server, (client) => client.query<StateRow>(STATE));
    const { writable, timeline, lsn, limits, sender, silent } = rows[0]!;
    const from = sender === null ? undefined : byAddress.get(sender);
    const receiver =
      sender === null
        ? {}
        : { receiver: { ...(from ? { from } : {}), silentS: silent ?? Number.POSITIVE_INFINITY } };
    return { writable, timeline, lsn, limits, ...receiver };
  };

  const look = async (member: string, asking: Asking): Promise<DatabaseMember> => {
    const [agent, postgres] = await Promise.allSettled([
      ask(`http://${memberOf(member).rest}/patroni`, Report),
      stateOf(member, asking),
    ]);
    const words = [
      agent.status === 'fulfilled'
        ? describeAgent(agent.value)
        : `Patroni: ${trouble(agent.reason, TIMEOUT_MS)}`,
      postgres.status === 'fulfilled'
        ? describeState(postgres.value)
        : `PostgreSQL: ${trouble(postgres.reason, TIMEOUT_MS)}`,
    ];
    return {
      member,
      ...(agent.status === 'fulfilled' ? { agent: agentOf(agent.value) } : {}),
      ...(postgres.status === 'fulfilled'
        ? { postgres: postgres.value }
        : { refuses: isRefusal(postgres.reason) }),
      said: words.join(', '),
    };
  };

  /** One in reserve is a member as soon as it runs. */
  const isMember = ({ member, agent, postgres }: DatabaseMember): boolean =>
    !config.members[member]?.reserve || agent !== undefined || postgres !== undefined;

  /** One answer of etcd, from whichever of its members gives it. */
  const etcd = async <T extends TSchema>(path: string, body: object, shape: T): Promise<Static<T>> => {
    let last: unknown;
    for (const address of addresses) {
      try {
        return await ask(`http://${address}/v3/kv/${path}`, shape, body);
      } catch (error) {
        last = error;
      }
    }
    return fail(`etcd ${addresses.join(', ')}`, path, last);
  };
  const lease = base64(`/service/${config.scope}/leader`);

  const leader = async (): Promise<string | null> => {
    const { kvs } = await etcd('range', { key: lease }, Range);
    const [own] = kvs ?? [];
    return own ? Buffer.from(own.value, 'base64').toString() : null;
  };

  const isSynchronous = async (): Promise<boolean> => {
    const answers = names.map((member) => ask(`http://${memberOf(member).rest}/config`, Shared));
    const shared = await Promise.any(answers);
    return ![undefined, null, false, 'off'].includes(shared.synchronous_mode as undefined);
  };

  const roster = async (asking: Asking): Promise<DatabaseMember[]> =>
    (await Promise.all(names.map((name) => look(name, asking)))).filter(isMember);

  const write = async (asking: Asking): Promise<number> => {
    const began = performance.now();
    const { hostname, port } = new URL(config.url);
    try {
      await asking(serverAt(`${hostname}:${port || '5432'}`), leaveProof);
    } catch (error) {
      fail(`database ${config.scope}`, 'a write', error);
    }
    return Math.round(performance.now() - began);
  };

  const order = async (member: string, what: string, body: object, withinMs = TIMEOUT_MS): Promise<void> => {
    const { user } = config.patroni;
    const headers = {
      'content-type': 'application/json',
      authorization: `Basic ${base64(`${user}:${secrets.patroni}`)}`,
    };
    const url = `http://${memberOf(member).rest}/${what}`;
    try {
      const { statusCode, body: answer } = await request(url, {
        dispatcher,
        method: 'POST',
        headers,
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(withinMs),
      });
      const said = await answer.text();
      if (statusCode >= 300) throw new Error(`${statusCode}: ${said.trim()}`);
    } catch (error) {
      fail(`Patroni of ${member}`, what, error);
    }
  };

  return {
    async look() {
      const [members, holder, clients, synchronous] = await Promise.all([
        roster(onConnection),
        leader().catch(() => undefined),
        write(onConnection).then(
          (ms) => ({ ok: true, said: `a write took ${ms} ms` }),
          (error: Error) => ({ ok: false, said: error.message }),
        ),
        isSynchronous().catch(() => true), // then only who certainly has every write may take over
      ]);
      return { members, leader: holder, clients, synchronous };
    },

    async members() {
      const [members, holder] = await Promise.all([roster(kept), leader().catch(() => undefined)]);
      return { members, leader: holder };
    },

    control: () =>
      Promise.all(
        Object.entries(config.etcd).map(([server, address]) =>
          ask(`http://${address}/health`, Health).then(
            ({ health }) => ({ server, ok: health === 'true', said: `health: ${health}` }),
            (error: unknown) => ({ server, ok: false, said: trouble(error, TIMEOUT_MS) }),
          ),
        ),
      ),

    async releaseLease(member) {
      const compare = [{ key: lease, target: 'VALUE', result: 'EQUAL', value: base64(member) }];
      const success = [{ requestDeleteRange: { key: lease } }];
      const answer = await etcd('txn', { compare, success }, Transaction);
      return answer.succeeded === true;
    },

    async forgetRoles() {
      // `optime/leader` is what versions before 3 call `status`.
      // Who is not among those of `failsafe` would never become the primary.
      const keys = ['leader', 'sync', 'status', 'optime/leader', 'failover', 'failsafe'];
      const success = keys.map((key) => ({
        requestDeleteRange: { key: base64(`/service/${config.scope}/${key}`) },
      }));
      await etcd('txn', { success }, Transaction);
    },

    async checkpoint(member) {
      try {
        await onConnection(
          { ...serverAt(memberOf(member).postgres), query_timeout: CHECKPOINT_MS },
          (client) => client.query('CHECKPOINT'),
        );
      } catch (error) {
        fail(`PostgreSQL of ${member}`, 'CHECKPOINT', error);
      }
    },

    switchOver: (from, to) => order(from, 'switchover', { leader: from, candidate: to }, SWITCH_MS),

    write: (how) => write(how?.again ? kept : onConnection),
    reinitialise: (member) => order(member, 'reinitialize', { force: true }),
  };
}

function isRefusal(error: unknown): boolean {
  return (error as { code?: string }).code === 'ECONNREFUSED';
}

function agentOf({ role, state, sync_standby: synchronous = false, dcs_last_seen }: Static<typeof Report>) {
  const isPrimary = ['master', 'primary', 'leader'].includes(role);
  return {
    role: isPrimary ? ('primary' as const) : ('standby' as const),
    state,
    synchronous,
    ...(dcs_last_seen === undefined ? {} : { controlAt: dcs_last_seen * 1_000 }),
  };
}

function describeAgent(report: Static<typeof Report>): string {
  const { role, state, synchronous } = agentOf(report);
  return `Patroni: ${synchronous ? 'synchronous ' : ''}${role}, ${state}`;
}

function describeState({ writable, timeline, receiver }: PostgresState): string {
  const from = receiver?.from === undefined ? 'receives from nobody' : `receives from ${receiver.from}`;
  const heard = receiver ? `, heard ${receiver.silentS.toFixed(1)} s ago` : '';
  return `PostgreSQL: ${writable ? 'takes writes' : `${from}${heard}`}, timeline ${timeline}`;
}

/** Writes a row and reads it back. The table is made by whoever comes first. */
async function leaveProof(client: ClientBase): Promise<void> {
  const leave = `INSERT INTO ${PROOF} VALUES (1, clock_timestamp())
                 ON CONFLICT (id) DO UPDATE SET at = excluded.at RETURNING at`;
  try {
    await client.query(leave);
  } catch (error) {
    if ((error as { code?: string }).code !== UNDEFINED_TABLE) throw error;
    await client.query(`CREATE TABLE IF NOT EXISTS ${PROOF} (id int PRIMARY KEY, at timestamptz NOT NULL)`);
    await client.query(leave);
  }
}

/** @throws Error with the status for one that is not 2xx, or where the answer is of another shape */
async function ask<T extends TSchema>(url: string, shape: T, body?: object): Promise<Static<T>> {
  const { statusCode, body: answer } = await request(url, {
    dispatcher,
    ...(body ? { method: 'POST' as const, body: JSON.stringify(body) } : {}),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const said = await answer.text();
  if (statusCode >= 300) throw new Error(`${statusCode}: ${said.trim().slice(0, 200)}`);
  return Value.Parse(shape, JSON.parse(said));
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
