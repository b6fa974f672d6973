import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdtemp, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, type ClientConfig } from 'pg';

/** How long a PostgreSQL that was killed may take to read its log again, ms. */
const START_MS = 120_000;
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
 */
export async function startLonely(bin: string, data: string): Promise<LonelyServer> {
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
