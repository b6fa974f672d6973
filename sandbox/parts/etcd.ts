import { join } from 'node:path';
import { databaseProgram } from '../../core/topology';
import { get } from '../conditions';
import { databaseMembers, reserveMembers } from '../layout';
import { flags, tool } from '../tools';
import type { Context, Part, Program } from './part';

export const ETCD = 'etcd';
export const ETCD_PROGRAM = databaseProgram(ETCD);

/** The program through which a member's Patroni, and nobody else, talks to etcd; stopped, that member is cut off from it. */
export const controlProgram = (member: string): string => `database-${member}-control`;

/** Where Patroni keeps who is the primary: one etcd, and a way to it for each member of the database. */
export function etcd(context: Context): Part {
  const { at, dir, settings } = context;
  const members = [...databaseMembers(settings.block), ...reserveMembers(settings)];
  const options = flags({
    name: 'etcd',
    'data-dir': join(dir, 'etcd'),
    'listen-client-urls': `http://${at.etcd}`,
    'advertise-client-urls': `http://${at.etcd}`,
    'listen-peer-urls': `http://${at.etcdPeer}`,
    'initial-advertise-peer-urls': `http://${at.etcdPeer}`,
    'initial-cluster': `etcd=http://${at.etcdPeer}`,
    logger: 'zap',
    'log-level': 'warn',
  });
  const server: Program = {
    name: ETCD_PROGRAM,
    command: () => [tool('etcd'), ...options],
    listens: [at.etcd, at.etcdPeer],
  };
  const ways = members.map(({ name, control }) => ({
    program: {
      name: controlProgram(name),
      command: () => [tool('haproxy'), '-db', '-f', join(dir, `${controlProgram(name)}.cfg`)],
      listens: [control],
    },
    file: [join(dir, `${controlProgram(name)}.cfg`), way(control, at.etcd)] as const,
  }));
  return {
    name: ETCD,
    after: [],
    wanted: settings.database,
    programs: [server, ...ways.map(({ program }) => program)],
    files: Object.fromEntries(ways.map(({ file }) => file)),
    ready: () => Promise.all(members.map(({ control }) => get(`http://${control}/health`))),
  };
}

function way(from: string, to: string): string {
  return `defaults
  mode tcp
  timeout connect 500ms
  timeout client 1h
  timeout server 1h

listen etcd
  bind ${from}
  server etcd ${to}
`;
}
