import { Client } from 'pg';
import type { Sandbox } from '../../sandbox';

/** The states a scope went through, as the journal has them. */
export async function transitions({ env }: Sandbox, scope: string): Promise<string[]> {
  const journal = new Client({ connectionString: env['SWITCHOVER_DATABASE_URL'] });
  try {
    await journal.connect();
    const query = 'select to_state from health_transitions where scope = $1 order by at';
    return (await journal.query<{ to_state: string }>(query, [scope])).rows.map((row) => row.to_state);
  } finally {
    await journal.end();
  }
}
