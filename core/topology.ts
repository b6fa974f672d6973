import type { Config, RegionConfig } from './config';
import { SwitchoverError } from './errors';
import { parseNode, type NodePlace } from './scope';

/** A node as the adapters need it. */
export interface Node extends NodePlace {
  /** `us-east-1/a/n1` */
  id: string;
  /** host:port of `/health`, `/mcp`, `/metrics`. */
  address: string;
  /** Installed but stopped until it replaces another. */
  spare: boolean;
  /** The name by which the load balancer knows it, `a-n1`. */
  server: string;
  /** The name by which the supervisor knows it, `us-east-1-a-n1`. */
  program: string;
}

/** The node with this id, spare or not. @throws UNKNOWN_TARGET naming the nodes that exist nearest to it. */
export function findNode(config: Config, id: string): Node {
  const place = parseNode(id);
  const nodes = place ? nodesOf(config, place.region) : [];
  const node = nodes.find((candidate) => candidate.id === id);
  if (node) return node;
  const near =
    nodes.length > 0
      ? nodes.map((candidate) => candidate.id)
      : Object.keys(config.regions).map((region) => `${region}/…`);
  throw new SwitchoverError(
    'UNKNOWN_TARGET',
    `input.node: "${id}" is not a node of environment ${config.environment}; there are ${near.join(', ')}`,
  );
}

/** A zone with its nodes, spares included. */
export interface Zone {
  /** `us-east-1/a` */
  id: string;
  region: string;
  nodes: Node[];
}

/** The zone with this id. @throws UNKNOWN_TARGET naming the zones that exist. */
export function findZone(config: Config, id: string): Zone {
  const [region = ''] = id.split('/');
  const nodes = nodesOf(config, region).filter((node) => `${region}/${node.zone}` === id);
  if (nodes.length > 0) return { id, region, nodes };
  const known = Object.entries(config.regions).flatMap(([name, { zones }]) =>
    Object.keys(zones).map((zone) => `${name}/${zone}`),
  );
  throw new SwitchoverError(
    'UNKNOWN_TARGET',
    `input.zone: "${id}" is not a zone of environment ${config.environment}; there are ${known.join(', ')}`,
  );
}

/** Every node of a region, spares included, in the order of the file. */
export function nodesOf(config: Pick<Config, 'regions'>, region: string): Node[] {
  return Object.entries(config.regions[region]?.zones ?? {}).flatMap(([zone, { nodes, spares }]) => [
    ...Object.entries(nodes).map(([name, address]) => toNode({ region, zone, name }, address, false)),
    ...Object.entries(spares ?? {}).map(([name, address]) => toNode({ region, zone, name }, address, true)),
  ]);
}

/** A region by name. @throws UNKNOWN_TARGET */
export function regionConfig(config: Config, region: string): RegionConfig {
  const found = config.regions[region];
  if (found) return found;
  throw new SwitchoverError(
    'UNKNOWN_TARGET',
    `"${region}" is not a region of environment ${config.environment}; there are ${Object.keys(config.regions).join(', ')}`,
  );
}

/** The name by which the supervisor knows a member of the registry. */
export function registryProgram(member: string): string {
  return `registry-${member}`;
}

/** The name by which the supervisor knows a member of the database, or a server of its control plane. */
export function databaseProgram(member: string): string {
  return `database-${member}`;
}

/** The name by which the supervisor knows a member of the session store. */
export function sessionsProgram(member: string): string {
  return `sessions-${member}`;
}

/** The program that ends every process of a member of the database, and fails where it cannot. */
export function fenceProgram(member: string): string {
  return `database-${member}-fence`;
}

/** The program that tells what is left of a member of the database; prints a `Remains`. */
export function remainsProgram(member: string): string {
  return `database-${member}-remains`;
}

/** The program that saves what only a member has, a former primary, before it follows its successor; prints a `Salvage`. */
export function salvageProgram(member: string): string {
  return `database-${member}-salvage`;
}

/** The program that does all work on backups of the database, one piece at a time; it is told on its input what to do. */
export const BACKUPS_PROGRAM = 'database-backups';

/** The program that prints, on a line, which backups a repository has: `pgbackrest --repo=N --io-timeout=5 --output=json info && echo`. */
export function repositoryProgram(repository: string): string {
  return `database-backups-${repository}`;
}

/** The program that prints what is restored beside the database; a `Copies`. */
export const COPIES_PROGRAM = 'database-copies';

/** The PostgreSQL that serves a copy of the database which was restored beside it. */
export function scratchProgram(place: string): string {
  return `database-scratch-${place}`;
}

/** The program that tells which releases a node's machine has, and switches between them. */
export function releaseProgram(program: string): string {
  return `${program}-release`;
}

function toNode(place: NodePlace, address: string, spare: boolean): Node {
  const { region, zone, name } = place;
  return {
    ...place,
    id: `${region}/${zone}/${name}`,
    address,
    spare,
    server: `${zone}-${name}`,
    program: `${region}-${zone}-${name}`,
  };
}

/** The supervisor's name of the program that looks on at a drill: clients and probes. */
export const DRILL_OBSERVER = 'drill-observer';

/** The supervisor's name of the program that breaks a node for a drill, and makes it good by itself. */
export const DRILL_FAULT = 'drill-fault';
