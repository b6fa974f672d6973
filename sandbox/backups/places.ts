import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Restored, ScratchPlace } from '../../core/backup';
import { allProcesses, describe } from '../proc';

/** What the programs that work on backups are told on their command lines. */
export interface Places {
  /** The folder with `pgbackrest.conf`, and with a folder and a configuration for each place where a copy may be restored. */
  home: string;
  stanza: string;
  /** The folder of PostgreSQL's programs, and pgBackRest itself. */
  bin: string;
  pgbackrest: string;
  /** Where the data of each member of the database are, as far as they are on this machine. */
  members: Readonly<Record<string, string>>;
}

export function readPlaces(): Places {
  const option = { type: 'string' } as const;
  const { values } = parseArgs({
    options: {
      home: option,
      stanza: option,
      bin: option,
      pgbackrest: option,
      member: { ...option, multiple: true },
    },
  });
  const { home = '', stanza = '', bin = '', pgbackrest = '', member = [] } = values;
  const members = Object.fromEntries(member.map((one) => one.split('=', 2) as [string, string]));
  return { home, stanza, bin, pgbackrest, members };
}

/** The files of a place. `data` is there only once it was restored whole; `receipt` says of what. */
export function filesOf({ home }: Places, place: ScratchPlace) {
  const folder = join(home, place);
  return {
    configuration: join(home, `${place}.conf`),
    restoring: join(folder, 'restoring'),
    data: join(folder, 'data'),
    receipt: join(folder, 'restored.json'),
  };
}

/** A place is touched only where nobody works in it: its server is stopped first, by who started it. */
export async function requireUnused(data: string): Promise<void> {
  const user = (await allProcesses()).find(({ alive, folder }) => alive && folder === data);
  if (user) throw new Error(`${describe(user)} works on ${data}`);
}

/** Null where there is no copy. */
export async function readReceipt({ data, receipt }: ReturnType<typeof filesOf>): Promise<Restored | null> {
  if (!existsSync(receipt) || !existsSync(data)) return null;
  return JSON.parse(await readFile(receipt, 'utf8')) as Restored;
}
