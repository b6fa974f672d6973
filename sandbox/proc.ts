import { readFile, readdir, readlink } from 'node:fs/promises';

/** A process as Linux shows it in /proc. */
export interface Process {
  pid: number;
  parent: number;
  /** Program and arguments, separated by blanks. */
  command: string;
  /** The folder it works in; empty where this user may not look. */
  folder: string;
  /** Its environment as it was at its start; empty where this user may not look. */
  environment: readonly string[];
  /** False for one that has ended and only waits to be reaped. */
  alive: boolean;
  /** Stopped by a signal until another wakes it. */
  hung: boolean;
}

/** Every process there is. One that ends meanwhile is shown as not alive. */
export async function allProcesses(): Promise<Process[]> {
  return Promise.all((await pids()).map(look));
}

/** The process that listens on host:port; undefined where there is none, or none that this user may see. */
export async function listenerOn(address: string): Promise<Process | undefined> {
  const sockets = await listeningSockets(address);
  for (const pid of await pids()) {
    const handles = await readdir(`/proc/${pid}/fd`).catch(() => []);
    const targets = await Promise.all(handles.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')));
    if (targets.some((target) => sockets.has(target))) return look(pid);
  }
  return undefined;
}

/** One line that lets a person find the process. */
export function describe({ pid, command }: Process): string {
  return `process ${pid} (${command.slice(0, 160)})`;
}

async function pids(): Promise<number[]> {
  return (await readdir('/proc')).map(Number).filter((pid) => pid > 0);
}

async function look(pid: number): Promise<Process> {
  const read = (file: string): Promise<string> => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
  const [stat, environment, line, folder] = await Promise.all([
    read('stat'),
    read('environ'),
    read('cmdline'),
    readlink(`/proc/${pid}/cwd`).catch(() => ''),
  ]);
  const [state = '', parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // the name before it may hold blanks
  return {
    pid,
    parent: Number(parent),
    command: line.replaceAll('\0', ' ').trim(),
    folder,
    environment: environment.split('\0'),
    alive: !['', 'Z', 'X'].includes(state),
    hung: state === 'T',
  };
}

/** `socket:[inode]` of every socket that listens on the address, or on its port of all addresses. */
async function listeningSockets(address: string): Promise<Set<string>> {
  const [host = '', port] = address.split(':');
  const hex = (value: string | undefined, digits: number): string =>
    Number(value).toString(16).toUpperCase().padStart(digits, '0');
  const reversed = host.split('.').toReversed();
  const hosts = [reversed.map((octet) => hex(octet, 2)).join(''), '0'.repeat(8), '0'.repeat(32)];
  const locals = new Set(hosts.map((ip) => `${ip}:${hex(port, 4)}`));
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`, 'utf8').catch(() => '')),
  );
  const rows = tables.flatMap((table) => table.split('\n').map((line) => line.trim().split(/\s+/)));
  const LISTENING = '0A';
  const found = rows.filter((row) => row[3] === LISTENING && locals.has(row[1] ?? ''));
  return new Set(found.map((row) => `socket:[${row[9]}]`));
}
