import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { SwitchoverError } from '../core/errors';
import { until } from './conditions';
import { FLEET_PASSWORD_VARIABLE, FLEET_USER } from './environment';
import type { Context, Part, Program } from './parts/part';
import { MARKER } from './processes';
import { writePrivate } from './state';
import type { Supervisor } from './supervisor';
import { SEARCH_PATH, tool } from './tools';

const START_MS = 10_000;

/** supervisord's configuration: every program, none started by itself. */
function supervisorFile({ at, dir, files, secrets }: Context, programs: readonly Program[]): string {
  const head: [string, Record<string, string | number>][] = [
    [
      'supervisord',
      {
        logfile: join(files.logs, 'supervisord.log'),
        logfile_maxbytes: '1MB',
        logfile_backups: 1,
        pidfile: join(dir, 'supervisord.pid'),
        childlogdir: files.logs,
        directory: dir,
        umask: '077',
        minfds: 4096,
        ...(process.getuid?.() === 0 ? { user: 'root' } : {}),
      },
    ],
    [
      'inet_http_server',
      { port: at.supervisor, username: FLEET_USER, password: secrets[FLEET_PASSWORD_VARIABLE] ?? '' },
    ],
    [
      'rpcinterface:supervisor',
      { 'supervisor.rpcinterface_factory': 'supervisor.rpcinterface:make_main_rpcinterface' },
    ],
  ];
  return [...head, ...programs.map((program) => section(files.logs, program))]
    .map(([name, fields]) => `[${name}]\n${lines(fields)}\n`)
    .join('\n');
}

/**
 * Writes the files of all parts, starts supervisord, which puts itself into the background, and waits until it answers. Its environment is made up
 * here, so that what a person's shell exports does not change how a sandbox behaves.
 * @throws SANDBOX with what it said when it does not start
 */
export async function startSupervisor(
  context: Context,
  parts: readonly Part[],
  supervisor: Supervisor,
): Promise<void> {
  const { dir, files } = context;
  await writeFiles(context, parts);
  const child = spawn(tool('supervisord'), ['-c', files.supervisor], {
    cwd: dir,
    env: { PATH: SEARCH_PATH, HOME: dir, USER: FLEET_USER, LANG: 'C.UTF-8', [MARKER]: dir },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text: Buffer) => (said += text.toString()));
  const [status] = (await once(child, 'exit')) as [number | null];
  if (status !== 0)
    throw new SwitchoverError('SANDBOX', `supervisord did not start (status ${status}): ${said.trim()}`);
  await until(async () => {
    if (!(await supervisor.answers()))
      throw new Error(`supervisord does not answer; see ${files.logs}/supervisord.log`);
  }, START_MS);
}

async function writeFiles(context: Context, parts: readonly Part[]): Promise<void> {
  const programs = parts.flatMap((part) => part.programs);
  const contents = Object.assign({}, ...parts.map((part) => part.files)) as Record<string, string>;
  contents[context.files.supervisor] = supervisorFile(context, programs);
  contents[context.files.config] = stringify(context.config);
  await Promise.all(Object.entries(contents).map(([path, content]) => writePrivate(path, content)));
}

function section(logs: string, program: Program): [string, Record<string, string | number>] {
  const { name, environment = {}, user, restarts = false, stopSignal, stopSeconds } = program;
  const fields = {
    command: program.command().map(quoted).join(' '),
    autostart: 'false',
    autorestart: String(restarts),
    startsecs: restarts ? 1 : 0, // with 0 a start returns at once, and a process that ends is not started again
    redirect_stderr: 'true',
    stdout_logfile: join(logs, `${name}.log`),
    stdout_logfile_maxbytes: '5MB',
    stdout_logfile_backups: 1,
    environment: Object.entries(environment)
      .map(([key, value]) => `${key}="${value}"`)
      .join(','),
    ...(user ? { user } : {}),
    ...(stopSignal ? { stopsignal: stopSignal } : {}),
    ...(stopSeconds === undefined ? {} : { stopwaitsecs: stopSeconds }),
  };
  return [`program:${name}`, fields];
}

/** `%` begins an expansion in supervisord's files. */
function lines(fields: Record<string, string | number>): string {
  return Object.entries(fields)
    .map(([key, value]) => `${key}=${String(value).replaceAll('%', '%%')}`)
    .join('\n');
}

function quoted(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'"'"'`)}'`;
}
