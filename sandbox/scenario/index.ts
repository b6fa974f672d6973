import { SwitchoverError } from '../../core/errors';
import { nodesOf, type Node } from '../../core/topology';
import type { Sandbox } from '../client';
import { Hopeless, get, until } from '../conditions';
import { openContext } from '../context';
import { breakPart } from '../faults';
import type { NodeFault } from '../faults/node';
import { startLoad, type Load, type LoadReport } from '../load';
import { BalancerWatch, standings, type Standing } from './balancer';

export { BalancerWatch } from './balancer';

/** What is promised for a failed node (REQUIREMENTS F1), in ms from the moment it breaks. */
export const PROMISED = { outMs: 1_000, healedMs: 5_000 } as const;

/** What is promised for a failed zone (REQUIREMENTS F2), in ms from the moment it breaks; the hold is not counted. */
export const ZONE_PROMISED = { outMs: 5_000, backMs: 30_000 } as const;

/** Who calls, where nothing else is asked for: enough clients that each node has several, few enough for two cores. */
export const CROWD = { region: 'us-east-1', clients: 24, ratePerClient: 2 } as const;

/** A node that serves: in the load balancer with its full weight, and healthy. */
export interface Candidate extends Node, Standing {}

/** MCP clients on a region's load balancer. */
export interface Crowd {
  sandbox: Sandbox;
  region: string;
  clients: number;
  /** Calls a second of each client. */
  ratePerClient: number;
  /** Ends everything early: what waits throws. */
  signal: AbortSignal;
  /** Told what happens before the fault, in sentences. */
  say?(sentence: string): void;
}

/** Which node is broken how, under what load. */
export interface Stage extends Crowd {
  fault: NodeFault;
  /** The victim out of those that serve, asked again while it answers with none. */
  choose(serving: readonly Candidate[]): Promise<Candidate | undefined> | Candidate | undefined;
}

/** A node that has just been broken. Times are epoch ms. */
export interface Scene {
  node: Candidate;
  /** Just before the fault was asked for, so that times from here on come out too long rather than too short. */
  brokenAt: number;
  /** What was done to it. */
  sentence: string;
  watch: BalancerWatch;
  load: Load;
}

/** How it went, as seen from outside. */
export interface Episode<T> extends Omit<Scene, 'load'> {
  load: LoadReport;
  result: T;
}

const CALLING_MS = 15_000;
const SERVING_MS = 30_000;
/** Longer than any fault should last, so that a call that is kept waiting shows as slow and not as failed. */
const CALL_TIMEOUT_MS = 5_000;

/**
 * Puts MCP clients on a region's load balancer while `work` is done. They stop when it is, and however it ends.
 * @throws SANDBOX where not every client gets an answer · what `work` throws
 */
export async function underLoad<T>(
  crowd: Crowd,
  work: (load: Load) => Promise<T>,
): Promise<{ result: T; load: LoadReport }> {
  const { sandbox, region, clients, ratePerClient, say } = crowd;
  const url = sandbox.urls.mcp[region]!;
  const load = startLoad({ url, clients, ratePerClient, timeoutMs: CALL_TIMEOUT_MS });
  let report: LoadReport;
  let result: T;
  try {
    await everyClientCalls(load, crowd);
    say?.(`${clients} MCP clients call tools through ${url}, ${clients * ratePerClient} calls a second`);
    result = await work(load);
  } finally {
    report = await load.stop();
  }
  return { result, load: report };
}

/**
 * Puts MCP clients on a region's load balancer, breaks a node under them, and watches the load balancer from outside
 * while `meanwhile` is at work. The clients stop when it is done, and however this ends.
 * @throws SANDBOX where not every client gets an answer, or no node serves · what `meanwhile` throws
 */
export async function breakUnderLoad<T>(
  stage: Stage,
  meanwhile: (scene: Scene) => Promise<T>,
): Promise<Episode<T>> {
  const { sandbox, region, fault } = stage;
  const { result: seen, load: report } = await underLoad(stage, async (load) => {
    const node = await chosen(stage);
    const watch = new BalancerWatch(sandbox.urls.haproxy[region]!, [node.server], node.weight);
    return watch.during(async () => {
      const brokenAt = Date.now();
      const sentence = await breakPart({ dir: sandbox.dir }, { kind: 'node', node: node.id }, fault);
      const scene = { node, brokenAt, sentence, watch };
      return { ...scene, result: await meanwhile({ ...scene, load }) };
    });
  });
  return { ...seen, load: report };
}

/**
 * Looks until `look` returns without throwing.
 * @throws SANDBOX as soon as `signal` says stop, or with the last look's words after `withinMs`
 */
export function wait<T>(look: () => Promise<T>, withinMs: number, signal: AbortSignal): Promise<T> {
  return until(() => {
    if (signal.aborted) throw new Hopeless('stopped');
    return look();
  }, withinMs);
}

async function everyClientCalls(load: Load, { clients, sandbox, region, signal }: Crowd): Promise<void> {
  const answered = new Set<number>();
  load.events.on('call', ({ client, failure }) => {
    if (failure === undefined) answered.add(client);
  });
  await wait(
    async () => {
      if (answered.size === clients) return;
      const failures = JSON.stringify(load.snapshot().failures);
      throw new Error(
        `${answered.size} of ${clients} MCP clients had an answer from ${sandbox.urls.mcp[region]}; failures: ${failures}`,
      );
    },
    CALLING_MS,
    signal,
  );
}

async function chosen({ sandbox, region, choose, signal }: Stage): Promise<Candidate> {
  return wait(
    async () => {
      const serving = await servingNodes(sandbox, region);
      const node = await choose(serving);
      if (node) return node;
      throw new Error(`none of the ${serving.length} nodes of ${region} that serve is free to be broken`);
    },
    SERVING_MS,
    signal,
  );
}

/** The nodes of a region that serve: full weight in the load balancer, and healthy. @throws SANDBOX where it is gone */
export async function servingNodes(sandbox: Sandbox, region: string): Promise<Candidate[]> {
  const context = await openContext({ dir: sandbox.dir });
  if (!context) throw new SwitchoverError('SANDBOX', `the sandbox in ${sandbox.dir} is gone`);
  const nodes = nodesOf(context.config, region);
  const seen = await standings(sandbox.urls.haproxy[region]!);
  const full = Math.max(...nodes.map(({ server }) => seen.get(server)?.weight ?? 0));
  const looks = nodes.map(async (node) => {
    const standing = seen.get(node.server);
    if (!standing?.takes || standing.weight < full) return [];
    const healthy = await get(`http://${node.address}/health`).catch(() => undefined);
    return healthy === undefined ? [] : [{ ...node, ...standing }];
  });
  return (await Promise.all(looks)).flat();
}
