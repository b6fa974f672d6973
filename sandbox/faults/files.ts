import { join } from 'node:path';

/** Faults a node finds in itself as long as a file of this kind is there (sandbox/mcp-node/faults.ts). */
export const FAULT_FILES = ['mcp', 'mcp-error', 'crashloop', 'latency'] as const;
export type FaultFile = (typeof FAULT_FILES)[number];

/** The file that gives the node `id` (`us-east-1/a/n1`) a fault. */
export function faultFile(dir: string, id: string, fault: FaultFile): string {
  return join(dir, `${id.replaceAll('/', '-')}.${fault}`);
}
