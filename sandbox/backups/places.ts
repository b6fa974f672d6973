import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { ScratchPlace } from '../../core/backup';

/** What the programs that work on backups are told on their command lines. */
export interface Places {
  /** The folder with `pgbackrest.conf`, and with a folder and a configuration for each place where a copy may be restored. */
  home: string;
  stanza: string;
  /** The folder of PostgreSQL's programs, and pgBackRest itself. */
  bin: string;
  pgbackrest: string;
}

export function readPlaces(): { what: string; places: Places } {
  const option = { type: 'string' } as const;
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { home: option, stanza: option, bin: option, pgbackrest: option },
  });
  const { home = '', stanza = '', bin = '', pgbackrest = '' } = values;
  return { what: positionals[0] ?? '', places: { home, stanza, bin, pgbackrest } };
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
