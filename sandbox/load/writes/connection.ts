import { setTimeout as pause } from 'node:timers/promises';
import { Client, DatabaseError } from 'pg';
import type { Outcome } from './book';
import type { Connection } from './writer';

const INSERT = 'INSERT INTO ledger (run, id, payload) VALUES ($1, $2, $3)';

/** One connection to the database that inserts row after row, and is opened anew after it broke. Nothing is ever sent twice. */
export class WriteConnection implements Connection {
  private client: Client | undefined;

  /** @param timeoutMs after which a connection attempt or an insert is given up: a hung server never answers */
  constructor(
    private readonly url: string,
    private readonly timeoutMs: number,
    private readonly run: string,
  ) {}

  /** Inserts a row. */
  async write(id: number, payload: string): Promise<Outcome> {
    let client: Client;
    try {
      client = this.client ??= await this.open();
    } catch {
      return 'failed';
    }
    try {
      await client.query({ name: 'insert', text: INSERT, values: [this.run, id, payload] });
      return 'acknowledged';
    } catch (error) {
      // Anything but a plain refusal, such as the words with which a server ends a connection, leaves it open what became of the row.
      if (error instanceof DatabaseError && error.severity === 'ERROR') return 'failed';
      this.forget(client);
      return 'unknown';
    }
  }

  async close(): Promise<void> {
    const ended = this.client?.end().catch(() => undefined);
    await Promise.race([ended, pause(this.timeoutMs, undefined, { ref: false })]);
  }

  private async open(): Promise<Client> {
    const client = new Client({
      connectionString: this.url,
      connectionTimeoutMillis: this.timeoutMs,
      query_timeout: this.timeoutMs,
    });
    client.on('error', () => this.forget(client)); // one that breaks while nothing is under way on it
    try {
      await client.connect();
      return client;
    } catch (error) {
      void client.end().catch(() => undefined);
      throw error;
    }
  }

  private forget(client: Client): void {
    if (this.client === client) this.client = undefined;
    void client.end().catch(() => undefined);
  }
}
