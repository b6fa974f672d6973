import { sleep } from '@temporalio/workflow';
import type { Returning, Sick } from '../activities/zone/return';
import type { NodeOutcome } from '../activities/zone/together';
import { runbook } from './engine/runbook';
import type { Run } from './engine/run';
import { quick, work } from './proxies';

/**
 * A zone has failed (REQUIREMENTS F2, H4). Sick zones are left first and repaired afterwards.
 *
 * What holds between any two steps:
 * - nothing is touched unless each failure was seen from two sides and the other zones can bear the measured peak;
 * - the zone is left as a whole and at once: at no time is a client sent from one sick node to the next;
 * - its sessions have owners in other zones, and service is proven without it, before any of its processes is touched;
 * - none of its nodes gets traffic before all that come back are healthy, and was so for the whole hold;
 * - nodes that an operator kept out before are not touched; those that do not come back stay out, and are named.
 */
export const zoneFailover = runbook<{ zone: string }>('zone-failover', async (run, { zone }) => {
  run.afterPause('Look at its nodes again', () => work.lookAtZone({ zone }));
  // In history before the act: a worker that finds the zone left must know which nodes this run has taken out.
  const nodes = await run.look('Look at its nodes', () => work.lookAtZone({ zone }));
  const taken = nodes.filter(({ ready }) => ready).map(({ node }) => node);
  const isolated = await run.act({
    title: 'Take it out of the load balancer',
    act: (how) => quick.isolateFailedZone({ zone, nodes, since: run.firstSeenAt, how }),
    undo: { title: 'Put back what was taken out', act: (how) => quick.readmitNodes({ nodes: taken, how }) },
  });
  if (isolated.after?.degraded === false) return run.succeeded(isolated.sentence);
  run.mark('faultAt', run.firstSeenAt);
  run.mark('isolatedAt', isolated.at);
  await handOver(run, zone);

  // Not `watch`: with this the clients are well again, and the run goes on to restore the zone.
  const proof = await run.verify('Prove the service without it', () =>
    run.near(zone).work.watchZone({ zone, nodes: [] }),
  );
  run.mark('provenAt', proof?.provenAt);

  // Where a person has skipped the step nobody has looked: each is checked, and started where it does not run.
  const unseen = nodes.map((node) => ({ ...node, standing: 'failed' }));
  const assessed = (isolated.after ?? isolated.before)?.nodes ?? unseen;
  const returning = assessed.filter(({ standing }) => standing !== 'held');
  const sick = returning.filter(({ standing }) => standing === 'failed');
  const well = returning.filter(({ standing }) => standing !== 'failed').map(({ node }) => node);
  const restored = await restore(run, {
    zone,
    nodes: sick.map(({ node, sickPid }) => ({ node, sickPid })),
    of: returning.length,
    missing: 0,
  });
  return bringIn(run, await hold(run, { ...restored, nodes: [...well, ...restored.nodes] }));
});

/**
 * A zone that was left comes back, because somebody says so (REQUIREMENTS F10).
 *
 * What holds between any two steps: a node gets traffic only while it is healthy, and the zone only while so many of its
 * nodes are that it would not be left again.
 */
export const zoneFailback = runbook<{ zone: string }>('zone-failback', async (run, { zone }) => {
  const left = await run.look('Look at its nodes', () => quick.lookAtLeftZone({ zone }));
  if (left.nodes.length === 0)
    return run.succeeded(`zone ${zone} is not out: there is nothing to bring back`);
  return bringIn(run, await restore(run, left));
});

async function handOver(run: Run, zone: string): Promise<void> {
  const { after } = await run.act({
    title: 'Hand its sessions to the other zones',
    act: (how) => work.handOverZone({ zone, how }),
  });
  run.lost('sessions', after?.lost ?? 0);
}

/** Restarts what has failed. @returns those that came back */
async function restore(run: Run, back: Returning<Sick>): Promise<Returning> {
  const { after } = await run.act({
    title: 'Restart what has failed',
    act: (how) => run.near(back.zone).long.restoreZone({ ...back, how }),
  });
  return without({ ...back, nodes: back.nodes.map(({ node }) => node) }, after);
}

/** Waits out the hold, to see that the zone stays well. @returns those that did */
async function hold(run: Run, back: Returning): Promise<Returning> {
  const { zoneHoldMs } = run.briefing;
  const seen = await run.verify(`Hold it out for ${zoneHoldMs / 1_000} s`, async () => {
    const until = new Date(Date.now() + zoneHoldMs).toISOString();
    const summary = `held out until ${until.slice(11, 19)} UTC, to see that it stays well`;
    const [finding] = await Promise.all([
      run.near(back.zone).long.watchHeld({ ...back, until }),
      sleep(zoneHoldMs, { summary }),
    ]);
    return finding;
  });
  return without(back, seen);
}

/** A little more traffic at a time for all of them together; then the service is proven with them in it. */
async function bringIn(run: Run, back: Returning): Promise<string> {
  let now = back;
  for (const weight of run.briefing.ramp) {
    const { after } = await run.act({
      title: `Ramp to ${weight} %`,
      act: (how) => run.near(now.zone).work.rampZone({ ...now, weight, how }),
    });
    now = without(now, after);
  }
  const { zone, nodes, of, missing } = now;
  await run.watch('Prove the service with it', () => run.near(zone).work.watchZone({ zone, nodes }));
  return run.recovered(`zone ${zone} serves again with ${of - missing} of ${of} nodes`);
}

/** Without those that turned out not to be healthy. A step that was skipped or planned has no outcomes. */
function without(back: Returning, outcomes: readonly NodeOutcome[] = []): Returning {
  const sick = outcomes.filter(({ healthy }) => !healthy).map(({ node }) => node);
  const nodes = back.nodes.filter((node) => !sick.includes(node));
  return { ...back, nodes, missing: back.missing + sick.length };
}
