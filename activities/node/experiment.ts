import { setTimeout as delay } from 'node:timers/promises';
import { claims, overlap } from '../../core/coordination';
import type {
  BreakTask,
  DrillFault,
  DrillLedger,
  Injected,
  Observed,
  ObserveTask,
  RescueClaim,
  Told,
} from '../../core/drill';
import { SwitchoverError } from '../../core/errors';
import { isOver, type Deed, type Finding, type Intent } from '../../core/run';
import { contains } from '../../core/scope';
import { DRILL_FAULT, DRILL_OBSERVER, nodesOf } from '../../core/topology';
import { beating } from '../beating';
import { place, type Deps } from '../deps';
import { ensure } from '../ensure';
import type { Fleet } from '../ports';
import { until } from '../until';

/** The node of a drill, and the drill's key, which its programs go by. */
interface OnDrill {
  node: string;
  key: string;
}

/** What was found before a drill. */
export interface Ground {
  /** Addresses of the nodes of the zone, spares included. */
  probes: string[];
  /** So many of them serve. */
  serving: number;
}

/** What came of waiting for a rescue. */
export interface Rescue {
  claim: RescueClaim | null;
  /** The incident somewhere else that the drill has to make room for. */
  other?: string;
}

/** A program says within this long that it has begun, ms. */
const BEGIN_MS = 10_000;
const POLL_MS = 250;

/** A run may have begun so much before it is waited for, ms: the fault is there for a moment already. */
const BEFORE_MS = 5_000;
/** What a program still does when it is asked to end may take so long, ms: a fault is undone then. */
const GRACE_MS = 8_000;
/** Calls a second of each client. */
const PER_CLIENT = 10;

/**
 * A drill that repairs nothing: clients, a fault that undoes itself, and waiting for what happens by itself. Load and fault are programs
 * of the supervisor, so they go on, and end, whatever becomes of workers.
 */
export function nodeExperiment(deps: Deps) {
  const { prober, operations } = deps;

  /** Why no drill must be on this node now, or null. */
  const whyNot = async (id: string): Promise<string | null> => {
    const now = await operations.coordination();
    const [incident] = Object.values(now.incidents);
    if (incident) return `incident ${incident.id} on ${incident.scope} is open`;
    const holder = claims(now).find(({ scope }) => overlap(scope, `node/${id}`));
    return holder ? `${holder.run} is at work on ${holder.scope}` : null;
  };

  /** A run that was over before it was seen to hold its scope: one that has found nothing to do is, within milliseconds. */
  const answered = async (scope: string, since: number): Promise<string | undefined> => {
    const runs = await operations.list({ limit: 50 });
    return runs.find(
      (one) => one.mode === 'execute' && contains(one.scope, scope) && Date.parse(one.startedAt) >= since,
    )?.run;
  };

  return {
    /** What the drill's node and its zone are like. @throws GUARD_REFUSED where no drill must be there now */
    async assessDrill({ node: id }: { node: string }): Promise<Finding<Ground>> {
      const { node } = place(deps, id);
      const zone = nodesOf(deps.config, node.region).filter((one) => one.zone === node.zone);
      const probes = zone.map(({ address }) => address);
      const answers = await Promise.all(zone.map(({ address }) => prober.health(address)));
      const serving = answers.filter(({ ok }) => ok).length;
      const own = answers[zone.findIndex((one) => one.id === id)];
      const reason = (await whyNot(id)) ?? (own?.ok ? null : `${id} does not serve (${own?.said})`);
      if (reason) throw new SwitchoverError('GUARD_REFUSED', `no drill of ${id} now: ${reason}`);
      return {
        sentence: `${id} serves, as ${serving} nodes of its zone do; nothing else is going on`,
        value: { probes, serving },
      };
    },

    /** Has clients and probes begin, in a process of their own, for at most so long. */
    beginObserving: beating(
      async ({
        node: id,
        key,
        probes,
        clients,
        forMs,
        how,
      }: OnDrill & Pick<ObserveTask, 'probes' | 'clients' | 'forMs'> & { how: Intent }): Promise<
        Deed<boolean>
      > => {
        const { fleet, clientUrl } = place(deps, id);
        const task: ObserveTask = { key, url: clientUrl, probes, clients, perClient: PER_CLIENT, forMs };
        return ensure(how, {
          look: async () => isAtIt(fleet, DRILL_OBSERVER, key),
          already: (atIt) => (atIt ? `${clients} clients call through the load balancer` : null),
          intention: () =>
            `have ${clients} clients call through the load balancer, ${PER_CLIENT} times a second each`,
          act: () => begin<Observed>(fleet, DRILL_OBSERVER, task, ({ seen }) => seen !== undefined),
          done: () => `${clients} clients call through the load balancer, ${PER_CLIENT} times a second each`,
        });
      },
    ),

    /** What the clients have seen once they have been at it for this long; on a busy machine they need a while to begin. */
    awaitSteady: beating(
      async ({ node: id, key, forMs }: OnDrill & { forMs: number }): Promise<Finding<Observed['seen']>> => {
        const { fleet } = place(deps, id);
        const look = async () =>
          (await told<Observed>(fleet, DRILL_OBSERVER, key)).seen ?? { ok: 0, failed: 0 };
        for (const end = Date.now() + BEGIN_MS; Date.now() < end; await delay(POLL_MS)) {
          const { ok, failed } = await look();
          if (ok + failed > 0) break;
        }
        await delay(forMs);
        const seen = await look();
        return { sentence: `${seen.ok} calls were well answered, ${seen.failed} failed`, value: seen };
      },
    ),

    /** Breaks the node, for at most so long. @throws GUARD_REFUSED where something has come up since it was looked at */
    injectFault: beating(
      async ({
        node: id,
        key,
        how,
        ...what
      }: OnDrill & Ground & { fault: DrillFault; forMs: number; how: Intent }): Promise<
        Deed<Injected | null>
      > => {
        const { fleet, node } = place(deps, id);
        const { pid } = await fleet.status(node.program);
        const reason = how.mode === 'plan' ? null : pid === 0 ? 'it does not run' : await whyNot(id);
        const task: BreakTask = { key, program: node.program, pid, ...what };
        const words = `${what.fault} ${id} (pid ${pid}) for at most ${what.forMs / 1000} s`;
        return ensure<Injected | null>(how, {
          look: async () => injectedOf(await told<Injected>(fleet, DRILL_FAULT, key)),
          already: (injected) => injected && `${id} was broken at ${new Date(injected.at).toISOString()}`,
          refuse: () =>
            reason === null ? null : { guard: 'drill', sentence: `no drill of ${id} now: ${reason}` },
          intention: () => words,
          act: () => begin<Injected>(fleet, DRILL_FAULT, task, ({ at }) => at !== undefined),
          done: () => words,
        });
      },
    ),

    /**
     * Waits for the run that answers the fault by itself, to its end; no longer than the fault lasts, and not while there is a real incident
     * somewhere else.
     */
    awaitRescue: beating(
      async ({ node: id, until: end }: { node: string; until: number }): Promise<Finding<Rescue>> => {
        const scope = `node/${id}`;
        const since = Date.now() - BEFORE_MS;
        let run: string | undefined;
        for (; Date.now() < end; await delay(POLL_MS)) {
          const now = await operations.coordination();
          const other = Object.values(now.incidents).find((one) => !overlap(one.scope, scope));
          if (other) {
            const sentence = `incident ${other.id} on ${other.scope} goes first`;
            return { sentence, value: { claim: null, other: sentence } };
          }
          run ??=
            claims(now).find((claim) => contains(claim.scope, scope))?.run ?? (await answered(scope, since));
          const report = run === undefined ? undefined : await operations.show(run);
          if (report && isOver(report.state)) break;
        }
        if (run === undefined) return { sentence: 'no run has answered it', value: { claim: null } };
        const { state, sentence, clock } = await operations.show(run);
        const detected = clock.faultAt === undefined ? {} : { detectedAt: Date.parse(clock.faultAt) };
        return {
          sentence: `${run}: ${state}, ${sentence}`,
          value: { claim: { run, state, sentence, ...detected } },
        };
      },
    ),

    /** Ends clients and fault, in this order; what is still broken is made good. @returns what they have written down */
    endDrill: beating(
      async ({
        node: id,
        key,
        how,
      }: OnDrill & { how: Intent }): Promise<Deed<{ ledger?: DrillLedger; fault: Injected | null }>> => {
        const { fleet } = place(deps, id);
        const read = async () => {
          const [{ ledger }, fault] = await Promise.all([
            told<Observed>(fleet, DRILL_OBSERVER, key),
            told<Injected>(fleet, DRILL_FAULT, key),
          ]);
          return { ...(ledger ? { ledger } : {}), fault: injectedOf(fault) };
        };
        if (how.mode === 'plan') return { changed: false, sentence: 'clients and fault would be taken away' };
        const at = new Date().toISOString();
        const running = [await isAtIt(fleet, DRILL_OBSERVER, key), await isAtIt(fleet, DRILL_FAULT, key)];
        for (const program of [DRILL_OBSERVER, DRILL_FAULT]) await fleet.stop(program, GRACE_MS);
        const after = await read();
        const found =
          after.fault?.found === 'still broken'
            ? 'what was still broken was made good'
            : 'nothing was left broken';
        return {
          changed: running.includes(true),
          sentence: `clients and fault are away; ${found}`,
          after,
          at,
        };
      },
    ),
  };
}

function injectedOf({ at, until: end, undoneAt, found }: Partial<Injected>): Injected | null {
  if (at === undefined || end === undefined) return null;
  return { at, until: end, ...(undoneAt === undefined ? {} : { undoneAt }), ...(found ? { found } : {}) };
}

/** What the program has printed last for this drill; nothing where that was for another one. */
async function told<What>(fleet: Fleet, program: string, key: string): Promise<Partial<What>> {
  const line = await fleet.lastLine(program);
  try {
    const said = JSON.parse(line) as Told<What>;
    return said.key === key ? said : {};
  } catch {
    return {};
  }
}

async function isAtIt(fleet: Fleet, program: string, key: string): Promise<boolean> {
  const { state } = await fleet.status(program);
  return state === 'running' && Object.keys(await told(fleet, program, key)).length > 0;
}

/** Starts the program with its task, and returns once it has said that it is at it. One of another drill is ended first. */
async function begin<What>(
  fleet: Fleet,
  program: string,
  task: { key: string },
  atIt: (said: Partial<What>) => boolean,
): Promise<void> {
  await fleet.stop(program, GRACE_MS);
  await fleet.begin(program, JSON.stringify(task));
  await until(`${program} does not begin`, BEGIN_MS, async () =>
    atIt(await told<What>(fleet, program, task.key)),
  );
}
