import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { tool } from '../../sandbox/tools';

const run = promisify(execFile);
const CLIENTS = 4;
/** Transactions a second, of all clients together. */
const RATE = 200;
/** How long one pgbench works, s, if the database lets it. */
const ROUND_S = 3;

/** What pgbench was told, and what is in the database. */
export interface Balance {
  /** Transactions that the database acknowledged. */
  acknowledged: number;
  /** That may or may not be there: under way in a client that lost its connection. */
  unknown: number;
  /** That are there. */
  stored: number;
  /** The sums that every transaction changes by the same: of accounts, tellers, branches and the history. */
  sums: number[];
}

/** pgbench at work in rounds: one that was ended by the database is followed by the next, as its users would do it. */
export interface Pgbench {
  /** Transactions that were acknowledged so far. */
  acknowledged(): number;
  /** Ends after the round under way. */
  stop(): Promise<Balance>;
}

/** Fills the database with its tables and begins. @param url the address of the database's clients */
export async function startPgbench(url: string): Promise<Pgbench> {
  const pgbench = (...args: string[]) => run(tool('pgbench'), [...args, url]);
  await pgbench('-i', '-q');
  let [acknowledged, aborted, stopped] = [0, 0, false];
  const work = async () => {
    while (!stopped) {
      const round = ['-n', '-c', `${CLIENTS}`, '-R', `${RATE}`, '-T', `${ROUND_S}`];
      const { stdout, failed } = await pgbench(...round).then(
        (ended) => ({ ...ended, failed: false }),
        // One whose clients were cut off has printed what it did, and ends with a status.
        (error: { stdout: string }) => ({ stdout: error.stdout, failed: true }),
      );
      acknowledged += Number(/transactions actually processed: (\d+)/.exec(stdout)?.[1] ?? 0);
      if (failed) aborted += 1;
    }
  };
  const working = work();
  return {
    acknowledged: () => acknowledged,
    async stop() {
      stopped = true;
      await working;
      const client = new Client({ connectionString: url });
      await client.connect();
      try {
        const { rows } = await client.query<{ stored: string; sums: string[] }>(
          `SELECT count(*) AS stored, ARRAY[sum(delta), (SELECT sum(abalance) FROM pgbench_accounts),
                  (SELECT sum(tbalance) FROM pgbench_tellers), (SELECT sum(bbalance) FROM pgbench_branches)] AS sums
             FROM pgbench_history`,
        );
        const { stored, sums } = rows[0]!;
        return {
          acknowledged,
          unknown: aborted * CLIENTS,
          stored: Number(stored),
          sums: sums.map(Number),
        };
      } finally {
        await client.end();
      }
    },
  };
}
