import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js';
import { Agent, fetch } from 'undici';
import { z } from 'zod';
import { BadAnswer, classify } from './errors';
import type { StubResolver } from './resolver';

const Answer = z.object({
  isError: z.literal(false).optional(),
  structuredContent: z.object({ count: z.int() }),
});

/** The same objects by two names: undici's types and those of Node. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion
const undiciFetch = fetch as unknown as (
  url: string | URL,
  init: Omit<RequestInit, 'dispatcher'> & { dispatcher: Agent },
) => Promise<Response>;

/** One MCP session and the highest count it has answered. */
export interface Session {
  client: Client;
  transport: StreamableHTTPClientTransport;
  count: number;
  lost: boolean;
}

/**
 * One user of the fleet: an official SDK client with its own connections and its own session, which it opens
 * once, and anew only when it was lost. Nothing is ever retried. Where the URL names a host, its connections follow the name: once
 * its resolver holds another address, what begins then goes there.
 */
export class LoadClient {
  private agent: Agent;
  /** Agents of addresses it has left, with what may be under way there. */
  private readonly left: Agent[] = [];
  /** Where its connections lead; undefined where the URL says so itself. */
  private at: string | undefined;
  private session: Promise<Session> | undefined;

  /**
   * @param onSessionLost called once for every session the fleet forgot or took back to an older state.
   * @param name how to find the host that the URL names; `onMoved` is told every address it comes to.
   */
  constructor(
    private readonly url: URL,
    private readonly timeoutMs: number,
    private readonly onSessionLost: () => void,
    private readonly name?: { resolver: StubResolver; onMoved: (address: string) => void },
  ) {
    this.agent = this.newAgent();
  }

  private newAgent(): Agent {
    const { timeoutMs, name } = this;
    // The SDK gives up waiting at its own timeout but leaves the request open; these end it.
    return new Agent({
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      connect: { timeout: timeoutMs, ...(name ? { lookup: name.resolver.lookup } : {}) },
    });
  }

  /** The session, initialized now when there is none. @throws what `classify` names. */
  open(): Promise<Session> {
    this.session ??= this.initialize().catch((error: unknown) => {
      this.session = undefined;
      throw error;
    });
    return this.session;
  }

  /**
   * Calls the `count` tool. Calls may overlap: an answer is held against those that had come before the call began.
   * @throws what `classify` names: also when the tool answers an error or a count that went back.
   */
  async count(): Promise<void> {
    const session = await this.open();
    const floor = session.count;
    try {
      const answer = await session.client.callTool({ name: 'count' }, undefined, { timeout: this.timeoutMs });
      const { success, data } = Answer.safeParse(answer);
      if (!success) throw new BadAnswer('tool-error', JSON.stringify(answer.content));
      const { count } = data.structuredContent;
      if (count <= floor) throw new BadAnswer('count-regressed', `count answered ${count} after ${floor}`);
      session.count = Math.max(session.count, count);
    } catch (error) {
      const failure = classify(error);
      if (failure === 'session-not-found' || failure === 'count-regressed') this.lose(session);
      throw error;
    }
  }

  /** Ends the session at the fleet, as far as the fleet answers, and closes the connections. */
  async close(): Promise<void> {
    const session = await this.session?.catch(() => undefined);
    await session?.transport.terminateSession().catch(() => undefined);
    await session?.client.close();
    await Promise.all([...this.left, this.agent].map((agent) => agent.destroy()));
  }

  private async initialize(): Promise<Session> {
    const client = new Client({ name: 'switchover-load', version: '1.0.0' });
    const fetchByAgent: FetchLike = async (url, init) => {
      await this.follow();
      return undiciFetch(url, { ...init, dispatcher: this.agent });
    };
    const transport = new StreamableHTTPClientTransport(this.url, { fetch: fetchByAgent });
    await client.connect(transport, { timeout: this.timeoutMs });
    return { client, transport, count: 0, lost: false };
  }

  /** Goes where the name leads now. @throws the resolver's error */
  private async follow(): Promise<void> {
    if (!this.name) return;
    const address = await this.name.resolver.resolve(this.url.hostname);
    if (address === this.at) return;
    if (this.at !== undefined) {
      this.left.push(this.agent);
      this.agent = this.newAgent();
    }
    this.at = address;
    this.name.onMoved(address);
  }

  /** Leaves the session to the calls still under way on it; the next call opens another. */
  private lose(session: Session): void {
    if (session.lost) return;
    session.lost = true;
    this.session = undefined;
    this.onSessionLost();
  }
}
