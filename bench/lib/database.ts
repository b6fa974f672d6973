import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { patroni } from '../../activities/adapters/patroni';
import { supervisord } from '../../activities/adapters/supervisord';
import type { Database } from '../../activities/ports';
import { databaseProgram, fenceProgram } from '../../core/topology';
import { loadConfig } from '../../operations';
import type { Sandbox } from '../../sandbox';
import { DATABASE_USERS, FLEET_PASSWORD_VARIABLE } from '../../sandbox/environment';

/** The database of a sandbox, as runbooks see it. */
export function databaseAt({ configPath, env }: Sandbox): Database {
  return patroni(loadConfig(configPath).database!, {
    postgres: env[DATABASE_USERS.postgres.variable]!,
    patroni: env[DATABASE_USERS.patroni.variable]!,
  });
}

/** Ends every process of a member of the database and destroys its data, as a machine that is lost with its disk. */
export async function destroyMember({ configPath, env, dir }: Sandbox, member: string): Promise<void> {
  const fleet = supervisord(loadConfig(configPath).database!.fleet, env[FLEET_PASSWORD_VARIABLE]!);
  await fleet.run(fenceProgram(member));
  await fleet.stop(databaseProgram(member));
  await rm(join(dir, databaseProgram(member), 'data'), { recursive: true });
}
