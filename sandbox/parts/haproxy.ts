import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { regionConfig, nodesOf, type Node } from '../../core/topology';
import { get } from '../conditions';
import { BACKEND, balancerPrograms } from '../environment';
import { balancerAddresses, indexOf } from '../layout';
import type { Settings } from '../settings';
import { tool } from '../tools';
import { nodesIn } from './nodes';
import type { Context, Part } from './part';

/** Name of the part that is a region's load balancer. */
export const balancerIn = (region: string): string => `HAProxy ${region}`;

/** Longest wait for the runtime API, ms. */
const RUNTIME_MS = 1_000;

/**
 * A region's load balancer in front of its MCP nodes, and a second one that stands by for its addresses. Either starts with every
 * server in maintenance, so that whoever starts it says which nodes may have traffic: here, when `up` or `heal` does, all in service.
 * Of a standby region none may, and at a cold site nothing is started: a runbook does so in a disaster.
 */
export function haproxy(context: Context, region: string): Part {
  const [name, second] = balancerPrograms(region);
  const file = join(context.dir, `${name}.cfg`);
  const { frontend, runtime, metrics } = addressesOf(context, region);
  const { role } = regionConfig(context.config, region);
  const program = {
    name,
    command: () => [tool('haproxy'), '-db', '-f', file],
    listens: [frontend, runtime, metrics],
  };
  return {
    name: balancerIn(region),
    after: [nodesIn(region)], // a node that is not there yet would first have to pass its checks twice
    programs: [
      { ...program, standby: role === 'cold' },
      { ...program, name: second, standby: true, standsInFor: name },
    ],
    files: { [file]: configuration(context, region) },
    ...(role === 'active' && { settle: () => admitAll(context, region) }),
    ready: async () => {
      if (role === 'cold') return;
      await get(role === 'active' ? `http://${frontend}/health` : `http://${metrics}/metrics`);
    },
  };
}

/**
 * POSTs to MCP are not idempotent: a request is tried on another node only when none got it (`conn-failure`). What a
 * hung node was given is bounded by `timeout server`.
 */
function configuration(context: Context, region: string): string {
  const { frontend, runtime, metrics } = addressesOf(context, region);
  const servers = inService(context, region).map(
    ({ server, address }) => `  server ${server} ${address} check weight 100 disabled`,
  );
  return `global
  stats socket ipv4@${runtime} level admin
  stats timeout 1h

defaults
  mode http
  timeout connect 500ms
  timeout client 1h
  timeout server 10s
  timeout queue 5s
  retries 3
  option redispatch 1
  retry-on conn-failure

frontend clients
  bind ${frontend}
  http-request return status 404 content-type text/plain string "Only /mcp and /health are here.\\n" unless { path /mcp /health }
  default_backend ${BACKEND}

backend ${BACKEND}
  balance leastconn
  stick-table type string len 64 size 100k expire 1h
  stick store-response res.hdr(Mcp-Session-Id)
  stick on req.hdr(Mcp-Session-Id)
  option httpchk GET /health
  http-check expect status 200
  default-server ${checks(context.settings)}
${servers.join('\n')}

frontend metrics
  bind ${metrics}
  http-request use-service prometheus-exporter if { path /metrics }
  stats enable
  stats uri /stats
`;
}

function inService({ config }: Context, region: string): Node[] {
  return nodesOf(config, region).filter(({ spare }) => !spare);
}

/** Ends the maintenance of every node in service. @throws Error where the runtime API does not answer */
async function admitAll(context: Context, region: string): Promise<void> {
  const { runtime } = addressesOf(context, region);
  const { hostname, port } = new URL(`tcp://${runtime}`);
  const orders = inService(context, region).map(
    ({ server }) => `set server ${BACKEND}/${server} state ready`,
  );
  const socket = connect({ host: hostname, port: Number(port), timeout: RUNTIME_MS });
  socket.on('timeout', () => socket.destroy(new Error(`${runtime} does not answer within ${RUNTIME_MS} ms`)));
  socket.end(`${orders.join(';')}\n`);
  const complaint = (await text(socket)).trim();
  if (complaint) throw new Error(`${runtime}: ${complaint}`);
}

function checks({ checks: rule, haproxyObserve }: Settings): string {
  const [interval, failures] = rule.split('/');
  const observe = haproxyObserve ? ' observe layer4 error-limit 1 on-error mark-down' : '';
  return `inter ${interval} fall ${failures} rise 2${observe}`;
}

function addressesOf({ settings }: Context, region: string) {
  return balancerAddresses(settings.block, indexOf(region));
}
