import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdtemp, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, type ClientConfig } from 'pg';
import { allProcesses, describe } from '../proc';

/** How long a PostgreSQL that was killed may take to read its log again, ms. */
const START_MS = 120_000;
/** How long processes that were killed may take to be gone, ms. */
const GONE_MS = 10_000;
const LOOK_EVERY_MS = 50;
/** It listens on none; the number names its socket. */
const PORT = 5432;

/** A PostgreSQL that nobody but this program reaches. */
export interface LonelyServer {
  /** Connects as the member's own users do. The caller ends the client. */
  connect(who: Pick<ClientConfig, 'user' | 'password' | 'database'>): Promise<Client>;
  stop(): Promise<void>;
}

/**
 * Starts PostgreSQL on a member's data for reading: on no address, with its socket in a new folder beside the data, and with
 * transactions that write nothing unless they insist. It runs as the owner of the data, for it refuses to run as root.
 * @throws Error where a process works on the data
 */
export async function startLonely(bin: string, data: string): Promise<LonelyServer> {
  await requireUnused(data);
  const { uid, gid } = await stat(data);
  const socket = await mkdtemp(join(dirname(data), 'salvage-'));
  await chown(socket, uid, gid);
  const settings = {
    listen_addresses: '',
    unix_socket_directories: socket,
    port: PORT,
    default_transaction_read_only: 'on',
    archive_mode: 'off',
    autovacuum: 'off', // or it would take away what is to be read
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const server = spawn(join(bin, 'postgres'), ['-D', data, ...options], {
    cwd: data,
    ...(process.getuid?.() === 0 ? { uid, gid } : {}),
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = once(server, 'exit');
  const stop = async () => {
    server.kill('SIGINT');
    await ended;
    await rm(socket, { recursive: true });
  };
  return {
    async connect(who) {
      for (const end = Date.now() + START_MS; ; await delay(LOOK_EVERY_MS)) {
        const client = new Client({ ...who, host: socket, port: PORT });
        try {
          await client.connect();
          return client;
        } catch (error) {
          if (server.exitCode !== null || Date.now() > end) throw error;
        }
      }
    },
    stop,
  };
}

/**
 * Waits until the last process of the old PostgreSQL is gone. Its postmaster was killed and left a file that says who it was; while
 * nobody has reaped it, the next one would take it for alive.
 */
async function requireUnused(data: string): Promise<void> {
  for (const end = Date.now() + GONE_MS; ; await delay(LOOK_EVERY_MS)) {
    const user = (await allProcesses()).find(({ alive, folder }) => alive && folder === data);
    if (!user) break;
    if (Date.now() > end) throw new Error(`${describe(user)} works on ${data}`);
  }
  await rm(join(data, 'postmaster.pid'), { force: true });
}
