import { readFile } from 'node:fs/promises';
import { Client } from 'pg';
import { parse } from 'yaml';
import type { Config } from '../../core/config';
import { breakPart, down, healPart, status, up, type DatabasePart, type Target } from '../../sandbox';
import { get } from '../../sandbox/conditions';
import { databaseMembers, sharedAddresses } from '../../sandbox/layout';
import { startWriter } from '../../sandbox/load/writes';
import { allProcesses } from '../../sandbox/proc';
import { occupy, smallSandbox, useSandbox } from '../harness/sandbox';
import { until } from '../harness/until';

const options = { ...smallSandbox(4), database: true };
const sandbox = useSandbox(options);
const at = sharedAddresses(options.block);
const members = databaseMembers(options.block);
const ROLES = ['primary', 'replica', 'synchronous replica'];

const part = (name: DatabasePart): Target => ({ kind: 'database', part: name });
const heal = () => healPart(options, part('primary'));
const addressOf = (name: string) => members.find((member) => member.name === name)!;

/** One statement, in the clients' way or at a member's own PostgreSQL. @throws where it is not answered in time */
async function ask<Row extends object>(
  text: string,
  postgres = at.database,
  withinMs = 1_000,
): Promise<Row[]> {
  const url = new URL(sandbox().databaseUrl);
  url.host = postgres;
  const client = new Client({
    connectionString: url.href,
    connectionTimeoutMillis: withinMs,
    query_timeout: withinMs,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.query<Row>(text)).rows;
  } finally {
    void client.end().catch(() => undefined);
  }
}

/** Whether a member's PostgreSQL takes itself for the primary; undefined where it does not answer. */
async function isPrimary(name: string): Promise<boolean | undefined> {
  const rows = await ask<{ primary: boolean }>(
    'SELECT NOT pg_is_in_recovery() AS primary',
    addressOf(name).postgres,
  ).catch(() => []);
  return rows[0]?.primary;
}

/** Whether a member's Patroni answers. */
const patroniAnswers = (name: string): Promise<boolean> =>
  get(`http://${addressOf(name).rest}/liveness`, 500).then(
    () => true,
    () => false,
  );

/** Whether a commit is acknowledged. Not to be asked again and again: one that is not still has its connection. */
const writable = (): Promise<boolean> =>
  ask('CREATE TEMPORARY TABLE t ()', at.database, 20_000).then(
    () => true,
    () => false,
  );

/** The replicas of the primary, by name, as `streaming sync`. */
async function replicas(): Promise<Record<string, string>> {
  const rows = await ask<{ name: string; standing: string }>(
    `SELECT application_name AS name, concat(state, ' ', sync_state) AS standing FROM pg_stat_replication`,
  );
  return Object.fromEntries(rows.map(({ name, standing }) => [name, standing]));
}

/** The members by the role that `sandbox status` gives them. */
async function roles(): Promise<Record<string, string>> {
  const { parts } = await status(options);
  const notes = parts.flatMap(({ program, note = '' }) => {
    const name = /^database-(d\d)$/.exec(program)?.[1];
    return name ? [[note.split(',')[0]!, name] as const] : [];
  });
  return Object.fromEntries(notes);
}

/** The member that took the former primary's place, once clients are led to it. */
async function succeeded(former: string): Promise<string> {
  const successor = await until(`${former} has a successor`, async () => {
    const [row] = await ask<{ host: string; standby: boolean }>(
      'SELECT host(inet_server_addr()) AS host, pg_is_in_recovery() AS standby',
    );
    const { name } = members.find(({ postgres }) => postgres.startsWith(`${row!.host}:`))!;
    return name !== former && !row!.standby && name;
  });
  expect(await writable()).toBe(true);
  return successor;
}

async function pids(): Promise<Record<string, number>> {
  return Object.fromEntries((await status(options)).parts.map(({ program, pid }) => [program, pid]));
}

describe('up', () => {
  test('it can be written to; two replicas stream, commits wait for one of them', async () => {
    expect(await writable()).toBe(true);
    expect(Object.values(await replicas()).sort()).toEqual(['streaming async', 'streaming sync']);
    expect(Object.keys(await roles()).sort()).toEqual(ROLES);
  });

  test('the environment file says where everything is, by the names that run', async () => {
    const config = parse(await readFile(sandbox().configPath, 'utf8')) as Config;
    expect(config.database).toMatchObject({
      url: `postgres://${at.database}/postgres`,
      etcd: { etcd: at.etcd },
      members: {
        d1: { region: 'us-east-1' },
        d2: { region: 'eu-central-1' },
        d3: { rest: members[2]!.rest },
      },
    });
    expect(sandbox().env).toMatchObject({ SWITCHOVER_POSTGRES_PASSWORD: expect.any(String) });
  });

  test('again: starts nothing', async () => {
    const before = await pids();
    await up(options);
    expect(await pids()).toEqual(before);
  });
});

describe('the primary', () => {
  let former: string;
  beforeEach(async () => {
    former = (await roles())['primary']!;
  });
  afterEach(async () => {
    expect(await heal()).toMatch(/^the database serves: database-d\d is the primary/);
    expect(Object.keys(await roles()).sort()).toEqual(ROLES);
  });

  test('killed, with its PostgreSQL: another member takes over, and nothing acknowledged is lost', async () => {
    const writer = await startWriter({ url: sandbox().databaseUrl, rate: 200, timeoutMs: 1_000 });
    try {
      await until('rows are written', () => writer.snapshot().acknowledged > 100);
      expect(await breakPart(options, part('primary'), 'kill')).toContain(
        `database-${former}, the primary, was`,
      );
      const broken = Date.now();
      expect([await isPrimary(former), await patroniAnswers(former)]).toEqual([undefined, false]);
      expect((await status(options)).state).toBe('degraded');
      await succeeded(former);
      await until('rows are written again', () => writer.firstAcknowledgedAfter(broken) !== null);
    } finally {
      await writer.stop();
    }
    const { unknown, longestGapMs } = writer.snapshot();
    expect(longestGapMs).toBeGreaterThan(1_000);
    const { lost, stored, unknownStored } = await writer.compare();
    expect({ lost, stored }).toEqual({ lost: [], stored: writer.snapshot().acknowledged + unknownStored });
    expect(unknownStored).toBeLessThanOrEqual(unknown);
  });

  test('hung: it takes connections and never answers; healed, it follows its successor', async () => {
    await breakPart(options, part('primary'), 'hang');
    expect([await isPrimary(former), await patroniAnswers(former)]).toEqual([undefined, false]);
    const successor = await succeeded(former);
    await heal();
    expect([await isPrimary(former), await isPrimary(successor)]).toEqual([false, true]);
  });

  test('without its Patroni: there are two primaries, and the clients are led to the right one', async () => {
    await breakPart(options, part('primary'), 'patroni-kill');
    expect([await isPrimary(former), await patroniAnswers(former)]).toEqual([true, false]);
    const successor = await succeeded(former);
    expect([await isPrimary(former), await isPrimary(successor)]).toEqual([true, true]);
  });

  test('cut off from etcd: it stays the primary, because every member can still be asked', async () => {
    const { control, rest } = addressOf(former);
    await breakPart(options, part('primary'), 'cut-control-plane');
    await expect(get(`http://${control}/health`, 500)).rejects.toThrow(control);
    await until('its Patroni goes on without etcd', async () =>
      (await get(`http://${rest}/patroni`)).includes('"failsafe_mode_is_active": true'),
    );
    expect(await writable()).toBe(true);
    expect(Object.keys(await replicas())).toHaveLength(2);
    expect((await roles())['primary']).toBe(former);
  });

  const asRoot = process.getuid?.() === 0 ? test : test.skip;
  asRoot(
    'partitioned: nobody reaches it though its PostgreSQL runs, and another member takes over',
    async () => {
      const { postgres } = addressOf(former);
      await breakPart(options, part('primary'), 'partition');
      await expect(ask('SELECT 1', postgres)).rejects.toThrow('EINVAL');
      const running = (await allProcesses()).filter(({ command }) =>
        command.includes(`database-${former}/data`),
      );
      expect(running.some(({ alive, hung }) => alive && !hung)).toBe(true);
      await succeeded(former);
    },
  );
});

describe('a replica', () => {
  afterEach(heal);

  test.each(['kill', 'hang'])('%s of the synchronous one: commits wait for the other one', async (fault) => {
    const { primary, replica: other, 'synchronous replica': victim } = await roles();
    expect(await breakPart(options, part('replica'), fault)).toContain(`database-${victim}, the replica,`);
    expect([await isPrimary(victim!), await patroniAnswers(victim!)]).toEqual([undefined, false]);
    await until('the other one is synchronous', async () => (await replicas())[other!] === 'streaming sync');
    expect((await roles())['primary']).toBe(primary);
  });
});

describe('etcd', () => {
  test.each(['kill', 'hang'])(
    '%s: it does not answer; the database can be written to all the while',
    async (fault) => {
      const { primary } = await roles();
      await breakPart(options, part('etcd'), fault);
      await expect(get(`http://${at.etcd}/health`, 500)).rejects.toThrow(at.etcd);
      const { rest } = addressOf(primary!);
      await until('Patroni goes on without it', async () =>
        (await get(`http://${rest}/patroni`)).includes('"failsafe_mode_is_active": true'),
      );
      expect(await writable()).toBe(true);
      await heal();
      expect(JSON.parse(await get(`http://${at.etcd}/health`))).toEqual({ health: 'true' });
    },
  );
});

test('a row that was acknowledged and is gone is counted as lost', async () => {
  const writer = await startWriter({ url: sandbox().databaseUrl, rate: 200 });
  await until('rows are written', () => writer.snapshot().acknowledged > 10);
  const { failed, unknown } = await writer.stop();
  expect({ failed, unknown }).toEqual({ failed: 0, unknown: 0 });
  expect((await writer.compare()).lost).toEqual([]);
  await ask(`DELETE FROM ledger WHERE run = '${writer.run}' AND id = 7`);
  expect(await writer.compare()).toEqual({
    lost: [7],
    stored: writer.snapshot().acknowledged - 1,
    unknownStored: 0,
  });
});

test.each<[DatabasePart, string, string]>([
  ['primary', 'flood', 'there are kill, hang, patroni-kill, cut-control-plane, partition'],
  ['replica', 'partition', '"partition" is none of a database/replica; there are kill, hang'],
  ['etcd', 'patroni-kill', '"patroni-kill" is none of a database/etcd; there are kill, hang'],
])('database/%s cannot have the fault %s', async (name, fault, message) => {
  await expect(breakPart(options, part(name), fault)).rejects.toMatchObject({
    code: 'BAD_INPUT',
    message: expect.stringContaining(message),
  });
});

test('down leaves no process behind, not even a PostgreSQL that outlived its Patroni or hangs', async () => {
  await breakPart(options, part('replica'), 'hang');
  await breakPart(options, part('primary'), 'patroni-kill');
  await down(options);
  const left = (await allProcesses()).filter(({ command, alive }) => alive && command.includes(options.dir));
  expect(left).toEqual([]);
  for (const { postgres, rest } of members) for (const address of [postgres, rest]) (await occupy(address))();
});
