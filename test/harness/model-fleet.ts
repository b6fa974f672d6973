import type { RegionSystems } from '../../activities/deps';
import type { Member, Probe, Prober, Sessions } from '../../activities/ports';
import type { Config } from '../../core/config';
import { serving } from '../../core/guards';
import { candidatesOf } from '../../core/placement';
import { nodesOf, type Node } from '../../core/topology';

/** A node of the model. */
interface ModelNode extends Node {
  current: string;
  history: string[];
  /** The release of its process; null where there is none. */
  runs: string | null;
  member: Pick<Member, 'admin' | 'weight'> | null;
}

export const MODEL_RELEASES = ['1.0.0', '1.1.0', '1.2.0'];
/** Of the model's releases the one that never gets healthy. */
const SICK = '1.2.0';

/**
 * A region as a model, quick enough to walk a procedure's every step: what the ports say of it, and what must never be. The real parts
 * are in test/e2e; what a port means is laid down in activities/ports.ts.
 */
export class ModelFleet {
  readonly nodes: ModelNode[];
  /** What was broken, in words; empty where nothing was. */
  readonly broken: string[] = [];
  /** How many changes were made so far. */
  changes = 0;
  /** Called before each change is made, with its number. */
  onChange: (change: number) => void = () => undefined;
  private readonly owners: { bucket: number; owner: string; stamp: number }[];
  private stamp = 0;

  constructor(
    config: Config,
    private readonly region: string,
    /** So many members serve at every moment. */
    private readonly atLeast: number,
  ) {
    this.nodes = nodesOf(config, region).map((node) => ({
      ...node,
      current: '1.0.0',
      history: ['1.0.0'],
      runs: node.spare ? null : '1.0.0',
      member: node.spare ? null : { admin: 'ready', weight: 100 },
    }));
    const candidates = candidatesOf(config);
    this.owners = Array.from({ length: 256 }, (_, bucket) => ({
      bucket,
      owner: candidates[bucket % candidates.length]!.id,
      stamp: 0,
    }));
  }

  /** What all nodes have in common: `1.0.0, ready 100`, and `1.0.0` of the spares; each kind once. */
  told(): string[] {
    const lines = this.nodes.map(({ current, runs, member }) =>
      member
        ? `${current}: ${runs}, ${member.admin} ${member.weight}`
        : `spare ${current}: ${runs ?? 'stopped'}`,
    );
    return [...new Set(lines)];
  }

  owned(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { owner } of this.owners) counts[owner] = (counts[owner] ?? 0) + 1;
    return counts;
  }

  readonly prober = {
    health: async (address: string) => this.probe(this.nodes.find((node) => node.address === address)),
    mcp: async (url: string) => this.probe(this.nodes.find((node) => url.includes(`${node.address}/`))),
  } as unknown as Prober;

  readonly systems: RegionSystems = {
    loadBalancer: {
      members: async () => this.members(),
      load: async () => ({ nowPerS: 1, peakPerS: 1 }),
      rights: async () => null,
      isolate: (...servers) => this.eachMember(servers, 'maint'),
      drain: (server) => this.eachMember([server], 'drain'),
      admit: (server, weight) => this.eachMember([server], 'ready', weight),
      bound: async () => [],
      bind: async () => undefined,
      add: (server) =>
        this.change(() => void (this.byServer(server).member = { admin: 'maint', weight: 100 })),
      remove: (server) => this.change(() => void (this.byServer(server).member = null)),
    },
    fleet: {
      status: async (program) => {
        const { runs } = this.byProgram(program);
        return runs === null
          ? { state: 'stopped', pid: 0, description: 'stopped' }
          : { state: 'running', pid: 7, description: 'pid 7' };
      },
      start: (program) =>
        this.change(() => void (this.byProgram(program).runs ??= this.byProgram(program).current)),
      stop: (program) =>
        this.change(() => {
          const node = this.byProgram(program);
          if (node.member?.admin === 'ready') this.broken.push(`${node.id} was stopped amid its traffic`);
          if (this.owners.some(({ owner }) => owner === node.id))
            this.broken.push(`${node.id} was stopped with sessions`);
          node.runs = null;
        }),
      programs: async () => this.nodes.map(({ program }) => program),
      kill: async () => undefined,
      run: async () => '',
      begin: async () => undefined,
      lastLine: async () => '',
      lastWords: async () => '',
    },
    releases: {
      look: async (program) => this.installed(this.byProgram(program)),
      switch: async (program, version) => {
        const node = this.byProgram(program);
        await this.change(() => {
          node.current = version;
          const at = node.history.indexOf(version);
          node.history = at >= 0 ? node.history.slice(0, at + 1) : [...node.history, version];
        });
        return this.installed(node);
      },
    },
  };

  readonly sessions: Sessions = {
    owned: async (node) => this.owned()[node] ?? 0,
    buckets: async () => this.owners.map((one) => ({ ...one, sessions: 1 })),
    handOver: async (from, to) => {
      const due = this.owners.filter(({ owner }) => owner === from);
      const { placed: _, ...handed } = await this.sessions.place(
        due.map(({ bucket }) => ({ bucket, from, to: to[bucket % to.length]! })),
      );
      return handed;
    },
    place: async (moves) => {
      const due = moves.filter(({ bucket, from }) => this.owners[bucket]!.owner === from);
      await this.change(() => {
        this.stamp += 1;
        for (const { bucket, to } of due) this.owners[bucket] = { bucket, owner: to, stamp: this.stamp };
      });
      const placed = due.map(({ bucket }) => this.owners[bucket]!);
      return { found: due.length, moved: due.length, lost: 0, placed };
    },
    ping: async () => undefined,
  };

  private async change(make: () => void): Promise<void> {
    await Promise.resolve();
    this.changes += 1;
    this.onChange(this.changes);
    make();
    const well = serving(this.members()).length;
    if (well < this.atLeast) this.broken.push(`only ${well} members of ${this.region} serve`);
  }

  private async eachMember(
    servers: readonly string[],
    admin: Member['admin'],
    weight?: number,
  ): Promise<void> {
    const nodes = servers.map((server) => this.byServer(server));
    const isSo = ({ member }: ModelNode) =>
      member?.admin === admin && (weight ?? member.weight) === member.weight;
    if (nodes.every(isSo)) return;
    await this.change(() => {
      for (const node of nodes) node.member = { admin, weight: weight ?? node.member!.weight };
    });
  }

  private members(): Member[] {
    return this.nodes.flatMap(({ server, address, runs, member }) =>
      member ? [{ server, address, ...member, up: runs !== null && runs !== SICK, current: 0 }] : [],
    );
  }

  private probe(node: ModelNode | undefined): Probe {
    if (!node?.runs) return { ok: false, said: 'connection refused', ms: 1 };
    return {
      ok: node.runs !== SICK,
      said: node.runs === SICK ? '503 syncing' : '200 ready',
      ms: 1,
      version: node.runs,
    };
  }

  private installed({ current, history }: ModelNode) {
    return { current, before: history.at(-2) ?? null, releases: MODEL_RELEASES };
  }

  private byServer(server: string): ModelNode {
    return this.nodes.find((node) => node.server === server)!;
  }

  private byProgram(program: string): ModelNode {
    return this.nodes.find((node) => node.program === program)!;
  }
}
