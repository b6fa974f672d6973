import { execFile, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const SOURCE = path.resolve(__dirname, '../..');
const STAND_INS = path.join(__dirname, 'stand-ins');

/** The Debian programs the project uses, with what those of Debian 12 answer when asked for their version. */
export const BOOKWORM: Readonly<Record<string, string>> = {
  haproxy: 'HAProxy version 2.6.12-1+deb12u4 2024/02/20',
  'redis-server': 'Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64',
  postgres: 'postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)',
  patroni: 'patroni 3.0.2',
  pgbackrest: 'pgBackRest 2.45',
  etcd: 'etcd Version: 3.4.23',
  prometheus: 'prometheus, version 2.42.0+ds (branch: debian/sid)',
  'prometheus-alertmanager': 'alertmanager, version 0.25.0 (branch: debian/sid)',
  supervisord: '4.2.5',
  chromium: 'Chromium 156.0.8078.79 built on Debian GNU/Linux 12 (bookworm)',
  openssl: 'OpenSSL 3.0.20 7 Apr 2026 (Library: OpenSSL 3.0.20 7 Apr 2026)',
  ip: 'ip utility, iproute2-6.1.0, libbpf 1.1.0',
  nft: 'nftables v1.0.6 (Lester Gooch #5)',
  pgrep: 'pgrep from procps-ng 4.0.2',
};

/** How a made-up machine differs from a fresh Debian 12 with Node and Python, used as root. */
export interface MachineOptions {
  root?: boolean;
  apt?: boolean;
  nodeVersion?: string;
  /** Debian programs it has from the start, with their answer to `--version`. */
  programs?: Readonly<Record<string, string>>;
}

/** How a command ended and what it said. */
export interface Outcome {
  status: number;
  stdout: string;
  stderr: string;
}

/**
 * A checkout of the scripts on a machine of its own. PATH holds coreutils and the stand-ins, so nothing of the real
 * machine is found or changed; the stand-ins write their calls down. Remove it when done.
 */
export class Machine {
  readonly dir = fs.mkdtempSync(path.join(os.tmpdir(), 'switchover-setup-'));
  private readonly bin = this.path('bin');

  constructor({ root = true, apt = true, nodeVersion = '20.20.2', programs = {} }: MachineOptions = {}) {
    for (const folder of [
      'bin',
      'debian',
      'system/usr/sbin',
      'system/usr/lib/postgresql/15/bin',
      'project/core',
    ])
      fs.mkdirSync(this.path(folder), { recursive: true });
    this.checkout();
    this.tools();
    if (!apt) fs.rmSync(path.join(this.bin, 'apt-get'));
    this.write('uid', root ? '0' : '1000');
    this.write('node-version', `v${nodeVersion}`);
    for (const [name, answer] of Object.entries(BOOKWORM)) this.program(`debian/${name}`, answer);
    for (const [name, answer] of Object.entries(programs))
      this.program(`system/usr/${name === 'postgres' ? 'lib/postgresql/15/bin' : 'sbin'}/${name}`, answer);
  }

  path(...names: string[]): string {
    return path.join(this.dir, ...names);
  }

  write(name: string, text: string): void {
    fs.writeFileSync(this.path(name), `${text}\n`);
  }

  /** An executable that says `answer`, whatever it is asked. */
  program(name: string, answer: string): void {
    fs.writeFileSync(this.path(name), `#!/usr/bin/env bash\necho '${answer}'\n`, { mode: 0o755 });
  }

  exists(name: string): boolean {
    return fs.existsSync(this.path(name));
  }

  /** What the stand-ins wrote down since the last question, with the machine's folder as `~`. */
  calls(): string[] {
    if (!this.exists('calls')) return [];
    const lines = fs.readFileSync(this.path('calls'), 'utf8').replaceAll(this.dir, '~').trim().split('\n');
    fs.rmSync(this.path('calls'));
    return lines;
  }

  /** Runs a program of the checkout to its end, from outside the checkout; a failure is an outcome too. */
  run(command: string, args: string[] = [], env: Record<string, string> = {}): Promise<Outcome> {
    const own = {
      PATH: this.bin,
      HOME: this.dir,
      MACHINE: this.dir,
      SWITCHOVER_SYSROOT: this.path('system'),
    };
    return new Promise((resolve) => {
      execFile(
        this.path('project', command),
        args,
        { cwd: this.dir, env: { ...own, ...env } },
        (error, stdout, stderr) => {
          resolve({
            status: error ? Number(error.code) : 0,
            stdout,
            stderr: stderr.replaceAll(this.dir, '~'),
          });
        },
      );
    });
  }

  remove(): void {
    fs.rmSync(this.dir, { recursive: true });
  }

  private checkout(): void {
    fs.mkdirSync(this.path('project/scripts'));
    for (const name of [
      'setup',
      'build',
      'test',
      'test-results.mjs',
      'bench',
      'lib.sh',
      'requirements.txt',
      'requirements-route53.txt',
    ])
      fs.copyFileSync(path.join(SOURCE, 'scripts', name), this.path('project/scripts', name));
    for (const name of ['switchover', 'package.json', 'package-lock.json', 'tsconfig.json'])
      fs.copyFileSync(path.join(SOURCE, name), this.path('project', name));
  }

  private tools(): void {
    const coreutils =
      'bash cat chmod cp cut date dirname env find flock grep head mkdir mktemp mv nproc readlink rm sed sha256sum sleep sort stat tail wc';
    for (const tool of coreutils.split(' '))
      fs.symlinkSync(execFileSync('which', [tool], { encoding: 'utf8' }).trim(), path.join(this.bin, tool));
    for (const name of fs.readdirSync(STAND_INS))
      fs.copyFileSync(path.join(STAND_INS, name), path.join(this.bin, name));
  }
}
