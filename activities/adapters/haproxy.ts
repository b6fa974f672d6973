import { connect } from 'node:net';
import type { HaproxyConfig } from '../../core/config';
import { SwitchoverError } from '../../core/errors';
import type { LoadBalancer, Member } from '../ports';
import { trouble } from './trouble';

/** Longest wait for the runtime API, ms. It answers within one or is in trouble. */
const TIMEOUT_MS = 1_000;

/** What HAProxy says of commands that went well, or had nothing to do; of most it says nothing. */
const SUCCESS = /New server registered\.|Server deleted\.|No such table/g;

/**
 * How HAProxy itself checks a server that is added: REQUIREMENTS T3, plus an eye on every connection, so that the first
 * refused one takes the server out. Dynamic servers inherit nothing from `default-server`.
 */
const CHECKS = 'check inter 2s fall 3 rise 2 observe layer4 error-limit 1 on-error mark-down';

/** Bits of `srv_admin_state`: set by an operator, inherited from a tracked server, or (maint) by name resolution. */
const MAINT = 0x01 | 0x02 | 0x20;
const DRAIN = 0x08 | 0x10;

/** Full weight of a server added to an empty pool; percentages of it are exact. */
const FULL_WEIGHT = '100';

/** What is read of HAProxy's tables: a tenth of their columns, several times a second. */
const COLUMNS = [
  'srv_id',
  'srv_name',
  'srv_addr',
  'srv_port',
  'srv_op_state',
  'srv_admin_state',
  'srv_uweight',
  'srv_iweight',
  'svname',
  'scur',
  'rate',
  'rate_max',
] as const;

/** An entry of a stick-table: the client, in how many ms it is forgotten, and the number of its server. */
const ENTRY = /key=(\S+) use=\d+ exp=(\d+) server_id=(\d+)/g;

/** Clients name themselves, and a command ends at a semicolon: what could be more than a name is never repeated to HAProxy. */
const CLIENT = /^[\w.~@+/=-]+$/;

/** So many commands fit into a line of HAProxy's buffer, which has 16 KiB, with the longest names of clients (64) and servers. */
const AT_ONCE = 60;

/** A line of one of HAProxy's tables, by column name. */
type Row = Partial<Record<(typeof COLUMNS)[number], string>>;

/**
 * HAProxy 2.6 or newer over its runtime API on TCP (`stats socket ipv4@… level admin`). A call is one connection,
 * `admit` and `add` are two.
 *
 * Traps:
 * - A reload of HAProxy undoes what was done here and brings its configuration file back.
 * - The peak of `load` is since HAProxy's last start, reload or `clear counters`.
 * - Weights are whole numbers up to 256. With `weight 1`, HAProxy's default, every percentage is all of it: give
 *   servers `weight 100`.
 * - After `admit` HAProxy takes a server for up until its own check or a client's connection says otherwise.
 * - A drained server keeps the clients that a stick-table binds to it, so `drain` unbinds them. A request that is under way
 *   may bind its client again when it is answered: call `drain` until no request is.
 * - Weights lead only clients that are bound to nobody yet, and with less than a request under way at each server not even these.
 *
 * @throws LB_UNREACHABLE within 1 s; LB_REFUSED with HAProxy's own words; VERIFY_FAILED from `remove` while the
 * server still has connections, idle ones included: HAProxy clears those away within seconds.
 */
export function haproxy({ runtime, backend }: HaproxyConfig): LoadBalancer {
  const act = async (...commands: string[]): Promise<void> => {
    const complaint = (await ask(runtime, commands)).replaceAll(SUCCESS, '').trim();
    if (complaint) throw refused(runtime, commands, complaint);
  };
  const read = async (): Promise<{ servers: Row[]; stats: Row[] }> => {
    const commands = [`show servers state ${backend}`, `show stat ${backend} 4 -1`];
    const reply = await ask(runtime, commands);
    const servers = table(reply, '# be_id', ' ');
    const stats = table(reply, '# pxname', ',');
    if (!servers || !stats) throw refused(runtime, commands, reply.trim());
    return { servers, stats };
  };

  return {
    async members() {
      const { servers, stats } = await read();
      return servers.map((row) => toMember(row, stats.find((line) => line.svname === row.srv_name)?.scur));
    },

    async load() {
      const commands = [`show stat ${backend} 2 -1`];
      const reply = await ask(runtime, commands);
      const row = table(reply, '# pxname', ',')?.[0];
      if (!row) throw refused(runtime, commands, reply.trim());
      return { nowPerS: Number(row.rate), peakPerS: row.rate_max ? Number(row.rate_max) : null };
    },

    async rights() {
      const reply = (await ask(runtime, ['show cli level'])).trim();
      return reply === 'admin' ? null : `level ${reply || 'unknown'}`;
    },

    // All of them first, so that what is closed at one is not sent to the next.
    isolate: (...servers) =>
      act(
        ...servers.map((server) => `set server ${backend}/${server} state maint`),
        ...servers.map((server) => `shutdown sessions server ${backend}/${server}`),
      ),

    async drain(server) {
      const { servers } = await read();
      const id = servers.find((row) => row.srv_name === server)?.srv_id ?? '0';
      await act(
        `set server ${backend}/${server} state drain`,
        `clear table ${backend} data.server_id eq ${id}`,
      );
    },

    async admit(server, weight) {
      const { servers } = await read();
      const full = Number(servers.find((row) => row.srv_name === server)?.srv_iweight ?? FULL_WEIGHT);
      // The weight first: the other way round the server would serve its full share for a moment. Rounded up, so
      // that a small full weight means more traffic than asked for, not none.
      const share = Math.ceil((full * weight) / 100);
      await act(
        `set server ${backend}/${server} weight ${share}`,
        `set server ${backend}/${server} state ready`,
      );
    },

    async bound() {
      const commands = [`show servers state ${backend}`, `show table ${backend}`];
      const reply = await ask(runtime, commands);
      const servers = table(reply, '# be_id', ' ');
      if (!servers) throw refused(runtime, commands, reply.trim());
      const names = new Map(servers.map((row) => [row.srv_id, row.srv_name]));
      const entries = [...reply.matchAll(ENTRY)].flatMap(([, client, left, id]) => {
        const server = names.get(id);
        return server !== undefined && CLIENT.test(client!)
          ? [{ client: client!, server, left: Number(left) }]
          : [];
      });
      const newest = entries.reduce((most, { left }) => Math.max(most, left), 0);
      return entries.map(({ client, server, left }) => ({ client, server, idleMs: newest - left }));
    },

    async bind(...bindings) {
      if (bindings.length === 0) return;
      const { servers } = await read();
      const ids = new Map(servers.map((row) => [row.srv_name, row.srv_id]));
      const commands = bindings.flatMap(({ client, server }) => {
        const id = ids.get(server);
        if (id === undefined || !CLIENT.test(client))
          throw new SwitchoverError(
            'LB_REFUSED',
            `load balancer ${runtime}: nobody can be bound as ${client} to ${server}`,
          );
        // Cleared first: beside the number that is set here an entry has a name, and that goes first.
        return [
          `clear table ${backend} key ${client}`,
          `set table ${backend} key ${client} data.server_id ${id}`,
        ];
      });
      for (let i = 0; i < commands.length; i += AT_ONCE) await act(...commands.slice(i, i + AT_ONCE));
    },

    async add(server, address) {
      const { servers } = await read();
      const known = servers.find((row) => row.srv_name === server);
      if (known && addressOf(known) === address) return;
      const weight = servers[0]?.srv_iweight ?? FULL_WEIGHT;
      await act(
        `add server ${backend}/${server} ${address} weight ${weight} ${CHECKS}`,
        `enable health ${backend}/${server}`,
      );
    },

    async remove(server) {
      const { servers } = await read();
      if (servers.some((row) => row.srv_name === server)) await act(`del server ${backend}/${server}`);
    },
  };
}

function toMember(row: Row, current = '0'): Member {
  const flags = Number(row.srv_admin_state);
  const admin = flags & MAINT ? 'maint' : flags & DRAIN ? 'drain' : 'ready';
  return {
    server: row.srv_name ?? '',
    address: addressOf(row),
    admin,
    // HAProxy does not check a server in maintenance, and shows it as stopped.
    up: admin === 'maint' || row.srv_op_state !== '0',
    // Of a server that is configured with weight 0 there is no share.
    weight: Math.round((Number(row.srv_uweight) / (Number(row.srv_iweight) || 1)) * 100),
    current: Number(current),
  };
}

function addressOf(row: Row): string {
  return `${row.srv_addr}:${row.srv_port}`;
}

/** The rows below the header line that starts with `header`, up to the next empty line; null when there is no such header. */
function table(reply: string, header: string, separator: string): Row[] | null {
  const lines = reply.split('\n');
  const start = lines.findIndex((line) => line.startsWith(header));
  if (start < 0) return null;
  const names = lines[start]!.slice('# '.length).split(separator);
  const columns = COLUMNS.map((column) => [column, names.indexOf(column)] as const).filter(
    ([, at]) => at >= 0,
  );
  return lines.slice(start + 1, lines.indexOf('', start)).map((line) => {
    const cells = line.split(separator);
    return Object.fromEntries(columns.map(([column, at]) => [column, cells[at]]));
  });
}

/** Sends the commands as one line and returns all they printed. */
function ask(runtime: string, commands: string[]): Promise<string> {
  const { hostname, port } = new URL(`tcp://${runtime}`);
  return new Promise((resolve, reject) => {
    const fail = (why: string) =>
      reject(
        new SwitchoverError('LB_UNREACHABLE', `load balancer ${runtime} on "${commands.join('; ')}": ${why}`),
      );
    const socket = connect({ host: hostname, port: Number(port), signal: AbortSignal.timeout(TIMEOUT_MS) });
    let reply = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => (reply += chunk));
    socket.on('error', (error) => fail(trouble(error, TIMEOUT_MS)));
    // Even a command without an answer prints a line break; nothing at all means that nobody carried it out.
    socket.on('end', () => (reply ? resolve(reply) : fail('connection closed before the answer')));
    socket.write(`${commands.join(';')}\n`);
  });
}

function refused(runtime: string, commands: string[], reply: string): SwitchoverError {
  const soon = reply.includes('still has connections attached');
  return new SwitchoverError(
    soon ? 'VERIFY_FAILED' : 'LB_REFUSED',
    `load balancer ${runtime} refused "${commands.join('; ')}": ${reply}`,
  );
}
