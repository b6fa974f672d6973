import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { AjvJsonSchemaValidator } from '@modelcontextprotocol/sdk/validation/ajv';
import { z } from 'zod';
import type { Session, SessionStore } from './sessions';

/** Shared by all servers: the SDK would otherwise compile a validator for every request. */
const jsonSchemaValidator = new AjvJsonSchemaValidator();

const TEXT = { text: z.string().max(10_000) };

/**
 * The MCP server of one request, bound to the session the request belongs to. Servers are made per request
 * because the SDK binds one to a transport, and a transport that keeps nothing serves one request only.
 */
export function createMcpServer(
  node: { nodeId: string; version: string },
  store: SessionStore,
  session: Session,
): McpServer {
  const server = new McpServer(
    { name: `mcp-node ${node.nodeId}`, version: node.version },
    { jsonSchemaValidator },
  );

  server.registerTool('echo', { description: 'Returns its text', inputSchema: TEXT }, ({ text }) =>
    answer({ text }),
  );

  server.registerTool('whoami', { description: 'Names the node that answers' }, () =>
    answer({ node: node.nodeId, version: node.version }),
  );

  server.registerTool(
    'count',
    { description: 'Counts the calls of this session, across all nodes' },
    async () => answer({ count: await store.count(session.id), node: node.nodeId }),
  );

  server.registerTool(
    'note',
    { description: 'Replaces the note of this session and returns the one before', inputSchema: TEXT },
    async ({ text }) => {
      if (!(await store.write(session, { ...session.data, note: text }))) {
        throw new Error(
          `note not written: session ${session.id} changed after ${node.nodeId} read it; call note again`,
        );
      }
      return answer({ previous: session.data.note ?? null, node: node.nodeId });
    },
  );
  return server;
}

function answer(structuredContent: Record<string, unknown>): CallToolResult {
  return { content: [{ type: 'text', text: JSON.stringify(structuredContent) }], structuredContent };
}
