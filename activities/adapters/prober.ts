import { once } from 'node:events';
import { get } from 'node:http';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import {
  StreamableHTTPClientTransport,
  StreamableHTTPError,
} from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js';
import { AjvJsonSchemaValidator } from '@modelcontextprotocol/sdk/validation/ajv';
import { Agent, fetch, Response, type Dispatcher } from 'undici';
import type { Probe, Prober } from '../ports';
import { nameOf, trouble } from './trouble';

/** How much of a body is told, characters. */
const BODY_CHARS = 80;

/** How the probe names itself to nodes, for their logs. */
const CLIENT = { name: 'switchover-probe', version: '1.0.0' };

/** Shared by all probes: the SDK would otherwise make a validator for each. */
const jsonSchemaValidator = new AjvJsonSchemaValidator();

/** Where connections come from, where that is laid down. */
type Local = { localAddress?: string };

/** What was seen, without the time it took. */
type Verdict = Omit<Probe, 'ms'>;

/**
 * Probes nodes over HTTP.
 *
 * `health` opens a connection of its own each time: a node that accepts no more is seen at once. `mcp` is the official
 * SDK's client, so that it accepts what clients accept; it does without the stream of server messages.
 *
 * Trap: a session that was opened but not answered for before the deadline stays on the node until its TTL.
 *
 * @param timeoutMs deadline of a whole probe, however many requests it takes.
 * @param from the local address to probe from, where there is a choice
 */
export function prober({ timeoutMs, from }: { timeoutMs: number; from?: string | undefined }): Prober {
  const local = from === undefined ? {} : { localAddress: from };
  const timed = async (look: (deadline: AbortSignal) => Promise<Verdict>): Promise<Probe> => {
    const start = performance.now();
    const deadline = AbortSignal.timeout(timeoutMs);
    const { said, ...verdict } = await look(deadline).catch((error: unknown): Verdict => ({
      ok: false,
      said: trouble(error, timeoutMs),
    }));
    const ms = Math.round(performance.now() - start);
    return { ...verdict, said: deadline.aborted ? said : `${said} in ${ms} ms`, ms };
  };
  return {
    health: (address) => timed((deadline) => getHealth(address, deadline, local)),
    mcp: (url) => timed((deadline) => greet(url, deadline, timeoutMs, local)),
    http: (url, ms) => bounded(ms, (deadline) => getAny(url, deadline, local)),
    answers: (call, ms) => bounded(ms, () => call()),
  };
}

/** The verdict of a call that only has to be answered in time. */
async function bounded(timeoutMs: number, call: (deadline: AbortSignal) => Promise<unknown>): Promise<Probe> {
  const start = performance.now();
  const deadline = AbortSignal.timeout(timeoutMs);
  const late = once(deadline, 'abort').then(() => Promise.reject(deadline.reason as Error));
  const wrong = await Promise.race([call(deadline), late]).then(
    () => undefined,
    (error: unknown) => trouble(error, timeoutMs),
  );
  const ms = Math.round(performance.now() - start);
  return { ok: wrong === undefined, said: wrong ?? `answered in ${ms} ms`, ms };
}

function getAny(url: string, deadline: AbortSignal, local: Local): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false, signal: deadline, ...local }, (response) => {
      response.resume();
      resolve();
    });
    request.on('error', reject);
  });
}

function getHealth(address: string, deadline: AbortSignal, local: Local): Promise<Verdict> {
  return new Promise((resolve, reject) => {
    const options = { agent: false, signal: deadline, ...local };
    const request = get(`http://${address}/health`, options, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      response.on('error', reject).on('end', () => {
        const { state, version } = toldIn(body);
        resolve({
          ok: response.statusCode === 200,
          said: `${response.statusCode} ${state}`,
          ...(version !== undefined && { version }),
        });
      });
    });
    request.on('error', reject);
  });
}

/** The node's own words for its state and its release where the body is JSON with them, else the body's beginning. */
function toldIn(body: string): { state: string; version?: string } {
  try {
    const told: unknown = JSON.parse(body);
    if (told instanceof Object && 'state' in told)
      return {
        state: String(told.state),
        ...('version' in told && { version: String(told.version) }),
      };
  } catch {
    // Any text will do.
  }
  return { state: body.slice(0, BODY_CHARS).trim() };
}

async function greet(url: string, deadline: AbortSignal, timeoutMs: number, local: Local): Promise<Verdict> {
  const client = new Client(CLIENT, { jsonSchemaValidator });
  const connection = new Agent({ connections: 1, connect: local });
  const transport = new StreamableHTTPClientTransport(new URL(url), { fetch: fetchOn(connection, deadline) });
  const options = { signal: deadline, timeout: timeoutMs };
  let at = 'initialize';
  try {
    await client.connect(transport, options);
    at = 'ping';
    await client.ping(options);
    const version = client.getServerVersion()?.version;
    return { ok: true, said: 'initialize and ping answered', ...(version !== undefined && { version }) };
  } catch (error) {
    const why = deadline.aborted ? `no answer within ${timeoutMs} ms` : inWords(error, timeoutMs);
    return { ok: false, said: `${at}: ${why}` };
  } finally {
    // A node may refuse to end sessions (405), and a broken one may do anything: the verdict stands.
    await transport.terminateSession().catch(() => undefined);
    await client.close();
    await connection.destroy();
  }
}

/**
 * fetch for one probe: on a connection of its own, since one that a dead node left behind would make its successor look
 * dead; ended by `deadline`; and telling the client that there is no stream of server messages.
 */
function fetchOn(dispatcher: Dispatcher, deadline: AbortSignal): FetchLike {
  return async (url, init) => {
    if (init?.method === 'GET') return new Response(null, { status: 405 });
    // The SDK sends text and nothing else. Both lines bridge two versions of fetch's types.
    const body = typeof init?.body === 'string' ? init.body : null;
    const headers = [...new Headers(init?.headers)];
    return fetch(url, { ...init, headers, body, dispatcher, signal: deadline });
  };
}

/** The SDK's errors: HTTP status, a body that is no JSON, no JSON-RPC, or a JSON-RPC error. */
function inWords(error: unknown, timeoutMs: number): string {
  if (error instanceof StreamableHTTPError && (error.code ?? 0) > 0) return `HTTP ${error.code}`;
  const name = nameOf(error);
  if (name === 'SyntaxError') return 'the body is not JSON';
  if (name === 'ZodError' || name === '$ZodError') return 'the answer is not what MCP lays down';
  return trouble(error, timeoutMs);
}
