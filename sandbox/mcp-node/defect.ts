import type { NodeConfig } from './config';

/** What is wrong with the release that this node runs, as a new version of a real server may be wrong; mostly nothing. */
export class Defect {
  private readyAt = Number.POSITIVE_INFINITY;
  private calls = 0;

  constructor(private readonly defect: NodeConfig['defect']) {}

  /** It listens, and never serves. */
  get neverReady(): boolean {
    return this.defect?.kind === 'never-ready';
  }

  /** The node serves from now on. */
  ready(): void {
    this.readyAt = Date.now();
  }

  /** Whether calls of tools have begun to fail. */
  get failing(): boolean {
    return this.defect?.kind === 'errors' && Date.now() - this.readyAt >= this.defect.afterMs;
  }

  /** Whether this call of a tool fails: every second one does, while health and MCP's own methods stay well. */
  failsNow(): boolean {
    this.calls += 1;
    return this.failing && this.calls % 2 === 1;
  }
}
