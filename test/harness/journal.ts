import { Client } from 'pg';
import type { Sandbox } from '../../sandbox';

/** A change of a scope's health, as the journal has it. */
export interface Transition {
  at: Date;
  from: string;
  to: string;
}

/** Every change of a scope's health in the journal, in order. */
export async function transitions({ env }: Sandbox, scope: string): Promise<Transition[]> {
  const journal = new Client({ connectionString: env['SWITCHOVER_DATABASE_URL'] });
  try {
    await journal.connect();
    const query =
      'select at, from_state as from, to_state as to from health_transitions where scope = $1 order by at';
    return (await journal.query<Transition>(query, [scope])).rows;
  } finally {
    await journal.end();
  }
}
