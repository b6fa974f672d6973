import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { candidatesOf } from '../../core/placement';
import { nodesOf, regionConfig, releaseProgram, type Node } from '../../core/topology';
import { get } from '../conditions';
import { FAULT_FILES, faultFile } from '../faults/files';
import { RELEASES_KEPT, installReleases, machineOf, startOf } from '../releases';
import { ROOT } from '../tools';
import type { Context, Part, Program } from './part';
import { REDIS } from './redis';
import { sessionsUrl } from './sessions';

/** Name of the part that is a region's MCP nodes. */
export const nodesIn = (region: string): string => `MCP nodes ${region}`;

const SESSION_TTL_S = '3600';

/**
 * The MCP nodes of a region, its spares stopped; of a cold site all of them are. What switches their releases stands beside them. Healing them is the runbooks' work, so nothing
 * restarts them.
 */
export function nodes(context: Context, region: string): Part {
  const { dir, files, settings, config } = context;
  const cold = regionConfig(config, region).role === 'cold';
  const all = nodesOf(config, region);
  const serving = all.filter(({ spare }) => !spare && !cold);
  return {
    name: nodesIn(region),
    after: [REDIS],
    programs: [
      ...all.map((node) => ({ ...program(context, node), standby: node.spare || cold })),
      ...all.map((node) => releases(context, node)),
    ],
    startsLater: cold,
    prepare: async (programs) => {
      const machines = all.map((node) => node.program);
      await installReleases(dir, settings, machines);
      const starting = all.filter((node) => programs.some(({ name }) => name === node.program));
      const paths = starting.flatMap(({ id }) =>
        FAULT_FILES.map((fault) => faultFile(files.faults, id, fault)),
      );
      await Promise.all(paths.map((path) => rm(path, { force: true })));
    },
    ready: () => Promise.all(serving.map(({ address }) => get(`http://${address}/health`))),
  };
}

function releases({ dir }: Context, { program: name }: Node): Program {
  return {
    name: releaseProgram(name),
    command: () => [join(ROOT, 'sandbox/node-release'), machineOf(dir, name), String(RELEASES_KEPT)],
    listens: [],
    task: true,
  };
}

function program(context: Context, { id, address, program: name }: Node): Program {
  const { at, dir, files, config } = context;
  return {
    name,
    command: () => [startOf(dir, name)],
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
    },
    listens: [address],
    stopSeconds: 2,
  };
}
