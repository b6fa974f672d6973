import type { IncomingMessage, ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { ErrorCode, isInitializeRequest } from '@modelcontextprotocol/sdk/types.js';
import type { Logger } from 'pino';
import type { Defect } from './defect';
import type { Faults } from './faults';
import type { Session, SessionStore } from './sessions';
import { createMcpServer } from './tools';

/** What serving MCP needs. */
export interface McpDeps {
  node: { nodeId: string; version: string };
  store: SessionStore;
  faults: Faults;
  defect: Defect;
  log: Logger;
}

/**
 * The `/mcp` endpoint: MCP over streamable HTTP without any state in the process. Answers are plain JSON, and
 * GET is refused with 405 as the specification allows: this server never speaks first, and a stream per client
 * would only keep a draining node busy.
 *
 * Never rejects. An unknown session is 404 (the client must initialize anew), a session store that does not
 * answer is 503 (the balancer or client may try again).
 */
export async function handleMcp(deps: McpDeps, req: IncomingMessage, res: ServerResponse): Promise<void> {
  if (deps.faults.wedged) return;
  if (deps.faults.failing) return sendError(res, 500, ErrorCode.InternalError, 'Injected fault: mcp-error');
  try {
    if (req.method === 'POST') await post(deps, req, res);
    else if (req.method === 'DELETE') await end(deps, req, res);
    else
      sendError(
        res.setHeader('Allow', 'POST, DELETE'),
        405,
        ErrorCode.ConnectionClosed,
        'Method not allowed',
      );
  } catch (error) {
    deps.log.error({ err: error }, 'MCP request failed');
    sendError(res, 503, ErrorCode.InternalError, `Session could not be read or stored: ${String(error)}`);
  }
}

async function post(deps: McpDeps, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const id = sessionId(req);
  if (id === undefined) return initialize(deps, req, res);
  const session = await deps.store.claim(id);
  if (!session) return sendNotFound(res, id);
  const body = deps.defect.failing ? await json(req) : undefined;
  if (isToolCall(body) && deps.defect.failsNow())
    return sendError(res, 500, ErrorCode.InternalError, `Release ${deps.node.version} has a defect`);
  await serve(deps, session, new StreamableHTTPServerTransport({ enableJsonResponse: true }), req, res, body);
}

async function initialize(deps: McpDeps, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const message = await json(req).catch(() => undefined);
  if (message === undefined) return sendError(res, 400, ErrorCode.ParseError, 'Body is not JSON');
  if (!isInitializeRequest(message)) {
    return sendError(
      res,
      400,
      ErrorCode.InvalidRequest,
      'Mcp-Session-Id header is required; initialize first',
    );
  }
  const session = await deps.store.create();
  const transport = new StreamableHTTPServerTransport({
    enableJsonResponse: true,
    sessionIdGenerator: () => session.id,
  });
  await serve(deps, session, transport, req, res, message);
}

async function serve(
  deps: McpDeps,
  session: Session,
  transport: StreamableHTTPServerTransport,
  req: IncomingMessage,
  res: ServerResponse,
  body?: unknown,
): Promise<void> {
  const { latencyMs } = deps.faults;
  if (latencyMs > 0) await delay(latencyMs);
  const server = createMcpServer(deps.node, deps.store, session);
  res.once('close', () => void server.close());
  await server.connect(transport);
  await transport.handleRequest(req, res, body);
}

async function end(deps: McpDeps, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const id = sessionId(req);
  if (id === undefined)
    return sendError(res, 400, ErrorCode.InvalidRequest, 'Mcp-Session-Id header is required');
  if (!(await deps.store.end(id))) return sendNotFound(res, id);
  res.writeHead(200).end();
}

function isToolCall(message: unknown): boolean {
  return message instanceof Object && 'method' in message && message.method === 'tools/call';
}

function sessionId(req: IncomingMessage): string | undefined {
  return req.headers['mcp-session-id']?.toString();
}

/** Code and status the MCP specification gives to a session that is not, or no longer, there. */
function sendNotFound(res: ServerResponse, id: string): void {
  sendError(res, 404, -32001, `Session not found: ${id} has ended or expired; initialize a new one`);
}

function sendError(res: ServerResponse, status: number, code: number, message: string): void {
  if (res.headersSent) {
    res.destroy();
    return;
  }
  res.writeHead(status, { 'content-type': 'application/json' });
  res.end(JSON.stringify({ jsonrpc: '2.0', error: { code, message }, id: null }));
}
