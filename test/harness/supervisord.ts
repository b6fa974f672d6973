import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SupervisordConfig } from '../../core/config';
import { startProcess, type TestProcess } from './process';
import { until } from './until';

/** A real supervisord of one test file. Its programs die with it. */
export interface TestSupervisord {
  /** As the environment file would name it. */
  config: SupervisordConfig;
  password: string;
  process: TestProcess;
  stop(): Promise<void>;
}

/** A program's settings, e.g. `{ command: 'sleep 60', startsecs: 0 }`. */
export type Program = { command: string } & Record<string, string | number>;

/**
 * Starts a supervisord. Its programs are stopped at first, are restarted by nobody, and have a minute to obey SIGTERM.
 * @param host loopback address that no other test file uses; the port is 9001.
 */
export async function startSupervisord(
  host: string,
  programs: Record<string, Program>,
): Promise<TestSupervisord> {
  const dir = await mkdtemp(join(tmpdir(), 'supervisord-'));
  const file = join(dir, 'supervisord.conf');
  const password = 'correct horse';
  const config: SupervisordConfig = {
    kind: 'supervisord',
    url: `http://${host}:9001/RPC2`,
    user: 'switchover',
    password: { env: 'FLEET_PASSWORD' },
  };
  await writeFile(file, configuration({ host, dir, user: config.user, password }, programs));
  const process = startProcess('supervisord', ['-n', '-c', file]);
  const stop = async () => {
    await process.kill();
    await rm(dir, { recursive: true });
  };
  const ended = process.exited.then(() => {
    throw new Error(`supervisord on ${host} ended:\n${process.output()}`);
  });
  const up = until(`supervisord on ${host} answers`, async () => (await fetch(config.url)).status === 401);
  await Promise.race([up, ended]).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return { config, password, process, stop };
}

function configuration(
  { host, dir, user, password }: { host: string; dir: string; user: string; password: string },
  programs: Record<string, Program>,
): string {
  const sections = Object.entries(programs).map(([name, { command, ...settings }]) =>
    [
      `[program:${name}]`,
      `command = setpriv --pdeathsig KILL ${command}`,
      'autostart = false',
      'autorestart = false',
      'startretries = 0',
      'stopwaitsecs = 60',
      ...Object.entries(settings).map(([key, value]) => `${key} = ${value}`),
    ].join('\n'),
  );
  return `
[supervisord]
logfile = ${dir}/supervisord.log
pidfile = ${dir}/supervisord.pid
childlogdir = ${dir}
[inet_http_server]
port = ${host}:9001
username = ${user}
password = ${password}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
${sections.join('\n')}
`;
}
