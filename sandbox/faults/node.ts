import { rm, writeFile } from 'node:fs/promises';
import { findNode } from '../../core/topology';
import { get, until } from '../conditions';
import type { Context } from '../parts/part';
import type { Supervisor } from '../supervisor';
import { FAULT_FILES, faultFile } from './files';
import { hang, kill } from './program';

/**
 * What can happen to a node. `kill`: SIGKILL · `hang`: SIGSTOP · `mcp`: `/health` answers, MCP never ·
 * `mcp-error`: MCP answers 500 · `crashloop`: killed, and dies again after each start · `latency`: MCP is slow.
 */
export const NODE_FAULTS = ['kill', 'hang', ...FAULT_FILES] as const;
export type NodeFault = (typeof NODE_FAULTS)[number];

const START_MS = 10_000;

/** Gives a node a fault. @returns one sentence of what was done */
export async function breakNode(
  { files, config }: Context,
  supervisor: Supervisor,
  id: string,
  fault: NodeFault,
  latencyMs: number,
): Promise<string> {
  const { program } = findNode(config, id);
  if (fault === 'kill') return kill(supervisor, program);
  if (fault === 'hang') return hang(supervisor, program);
  await writeFile(faultFile(files.faults, id, fault), fault === 'latency' ? String(latencyMs) : '');
  if (fault === 'crashloop' && (await supervisor.info(program)).pid > 0) await kill(supervisor, program);
  return `${id} has the fault ${fault}`;
}

/** Takes every fault from a node. @returns one sentence of what was done */
export async function healNode(
  { files, config }: Context,
  supervisor: Supervisor,
  id: string,
  restart: boolean,
): Promise<string> {
  const { program, address } = findNode(config, id);
  await Promise.all(FAULT_FILES.map((fault) => rm(faultFile(files.faults, id, fault), { force: true })));
  const runs = await supervisor.signal(program, 'CONT');
  if (runs) return `${id} runs without faults`;
  if (!restart) return `${id} has no faults, and is stopped`;
  await supervisor.start(program);
  await until(() => get(`http://${address}/health`), START_MS);
  return `${id} was started and is healthy`;
}
