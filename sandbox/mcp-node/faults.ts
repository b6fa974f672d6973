import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Faults injected into one node by files named `<node id with / as ->.<kind>`. Looked up anew for every request
 * (one system call each, about 5 µs), so a fault starts and ends with its file, also when the file was there
 * before the node. An absent directory means no faults.
 */
export class Faults {
  private readonly prefix: string | undefined;

  constructor(dir: string | undefined, nodeId: string) {
    this.prefix = dir && join(dir, nodeId.replaceAll('/', '-'));
  }

  /** `.mcp`: MCP requests are taken and never answered, while `/health` stays well. */
  get wedged(): boolean {
    return this.has('mcp');
  }

  /** `.mcp-error`: MCP requests are answered with 500. */
  get failing(): boolean {
    return this.has('mcp-error');
  }

  /** `.crashloop`: the process dies shortly after it becomes ready. Looked at once, then. */
  get crashing(): boolean {
    return this.has('crashloop');
  }

  /** `.latency`: its content, ms added to every MCP request; 0 without the file or when it holds no number. */
  get latencyMs(): number {
    if (!this.has('latency')) return 0;
    try {
      return Number.parseFloat(readFileSync(`${this.prefix}.latency`, 'utf8')) || 0;
    } catch {
      return 0; // removed between the two looks
    }
  }

  private has(kind: string): boolean {
    return this.prefix !== undefined && existsSync(`${this.prefix}.${kind}`);
  }
}
