import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';

const ABOUT = `Durable runbooks for an MCP server fleet.

Every error is \`application/problem+json\` with a \`code\` of the error table and a \`hint\`: what to do next.
Roles are viewer < operator < approver < admin; a route names the least one it needs.`;

/** The API's description at \`/docs/json\`, and pages to read and try it at \`/docs\` that load nothing from elsewhere. */
export async function installOpenapi(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Switchover', version: '1.0.0', description: ABOUT, license: { name: 'Apache-2.0' } },
      tags: [
        { name: 'runs', description: 'Start runs, watch them, tell them what to do' },
        { name: 'runbooks', description: 'What can be run' },
        { name: 'fleet', description: 'What there is, and what is being worked on' },
        { name: 'webhooks', description: 'Where monitoring systems send their alerts' },
        { name: 'server', description: 'The state of this server' },
      ],
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: 'A token of the environment file' },
          basic: { type: 'http', scheme: 'basic', description: 'The token as password; any user name' },
        },
      },
    },
    refResolver: {
      buildLocalReference: ({ $id }, _base, _fragment, i) => (typeof $id === 'string' ? $id : `schema${i}`),
    },
  });
  await app.register(swaggerUi, { routePrefix: '/docs', uiConfig: { persistAuthorization: true } });
}
