import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { candidatesOf } from '../../core/placement';
import { nodesOf, type Node } from '../../core/topology';
import { get } from '../conditions';
import { FAULT_FILES, faultFile } from '../faults/files';
import { ROOT, built, requireBuilt } from '../tools';
import type { Context, Part, Program } from './part';
import { REDIS } from './redis';
import { sessionsUrl } from './sessions';

/** Name of the part that is a region's MCP nodes. */
export const nodesIn = (region: string): string => `MCP nodes ${region}`;

const MAIN = 'mcp-node.js';
const SESSION_TTL_S = '3600';
const VERSION = (require(join(ROOT, 'package.json')) as { version: string }).version;

/** The MCP nodes of a region, its spares stopped. Healing them is the runbooks' work, so nothing restarts them. */
export function nodes(context: Context, region: string): Part {
  const { files, config } = context;
  const all = nodesOf(config, region);
  const serving = all.filter(({ spare }) => !spare);
  return {
    name: nodesIn(region),
    after: [REDIS],
    programs: all.map((node) => program(context, node)),
    prepare: async (programs) => {
      requireBuilt(MAIN);
      const starting = all.filter((node) => programs.some(({ name }) => name === node.program));
      const paths = starting.flatMap(({ id }) =>
        FAULT_FILES.map((fault) => faultFile(files.faults, id, fault)),
      );
      await Promise.all(paths.map((path) => rm(path, { force: true })));
    },
    ready: () => Promise.all(serving.map(({ address }) => get(`http://${address}/health`))),
  };
}

function program(context: Context, { id, address, spare, program: name }: Node): Program {
  const { at, files, config } = context;
  return {
    name,
    command: () => [process.execPath, built(MAIN)],
    environment: {
      NODE_ID: id,
      LISTEN: address,
      REDIS_URL: sessionsUrl(context),
      REGISTRY_URL: `redis://${at.registry}`,
      FLEET: candidatesOf(config)
        .map((candidate) => `${candidate.id}=${candidate.weight}`)
        .join(),
      SESSION_TTL_S,
      FAULTS_DIR: files.faults,
      VERSION,
    },
    listens: [address],
    standby: spare,
    stopSeconds: 2,
  };
}
