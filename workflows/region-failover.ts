import { whyNot } from '../core/guards';
import { runbook } from './engine/runbook';
import { work } from './proxies';
import {
  bringStores,
  handOver,
  inWords,
  moveData,
  passTtl,
  prescale,
  seenFromOutside,
  shift,
} from './region';
import { requireAllowed } from './require-allowed';

/**
 * A region has failed (REQUIREMENTS F3, H4). Its clients are led to the others.
 *
 * What holds between any two steps:
 * - nothing is touched unless two other regions see it failed, and none that can see anything sees it well;
 * - who receives has the nodes for its share of the measured peak before clients are led there, as far as it has any;
 * - the data are served from another region, by a primary whose predecessor is fenced and which has taken a write, before clients are
 *   led to where they would need them; the stores' own runbooks see to that, with their evidence;
 * - sessions have owners that serve before their clients arrive;
 * - each tier moves only upon the evidence of the one before, and the name of the fleet moves last: it is what clients follow;
 * - service is proven from outside, where the nameservers lead clients, and the run ends only once no earlier answer is in use.
 *
 * Undone, the name leads where it led before, as long as somebody serves there. The data stay where they are: a primary that was fenced
 * is not gone back to. Whoever comes back is brought back by `region-failback`.
 */
export const regionFailover = runbook<{ region: string }>('region-failover', async (run, { region }) => {
  const world = await run.look('See who can take its traffic', () => work.lookAtWorld({ region }));
  const { share, weights: before } = world;
  const verdict = await run.look('See it from the other regions', async () => {
    const seen = await seenFromOutside(region, world);
    requireAllowed(leave(region, share, seen.value.doubt, false));
    return seen;
  });
  if (!verdict.failed && run.mode !== 'plan')
    return run.succeeded(`${verdict.said}: there is nothing to fail over`);
  run.mark('faultAt', run.firstSeenAt);
  await prescale(run, world);
  await moveData(run, region);
  await handOver(run, region, share.weights, { forGood: true });
  const freshAt = await shift(run, `Lead its clients to ${inWords(share.weights)}`, share.weights, before);
  const proof = await run.verify('Prove it where clients are led', () => work.watchWorld());
  run.mark('provenAt', proof?.provenAt);
  await passTtl(run, share.weights, freshAt);
  return run.recovered(`${region} is left: clients are led to ${inWords(share.weights)}`);
});

/**
 * A region is left by plan, before work on it or ahead of a storm (REQUIREMENTS F3). Nobody notices.
 *
 * What holds between any two steps: the region serves all the time, so that whoever still comes there is served; nothing is begun
 * unless the others can bear its traffic at the measured peak; and all of it is undone where a step fails.
 *
 * Forced in the middle, because the storm is there: the data do not wait for a hand-over any more but are taken over from a fenced
 * primary, its sessions are moved while clients still come to it, and who receives may be strained. From then on a step that fails
 * asks a person, because nobody goes back to a primary that was fenced.
 */
export const regionEvacuation = runbook<{ region: string }>('region-evacuation', async (run, { region }) => {
  run.mark('faultAt', run.firstSeenAt);
  const world = await run.look('See who can take its traffic', async () => {
    const seen = await work.lookAtWorld({ region });
    requireAllowed(leave(region, seen.value.share, undefined, !run.forced));
    return seen;
  });
  const { share, weights: before } = world;
  await prescale(run, world);
  await moveData(run, region);
  const freshAt = await shift(run, `Lead its clients to ${inWords(share.weights)}`, share.weights, before);
  const waited = await run.gracefully(() => passTtl(run, share.weights, freshAt));
  await handOver(run, region, share.weights, { forGood: false });
  const proof = await run.watch('Prove it where clients are led', () => work.watchWorld());
  run.mark('provenAt', proof?.provenAt);
  if (!waited) await passTtl(run, share.weights, freshAt);
  return `${region} is left: clients are led to ${inWords(share.weights)}`;
});

/**
 * Clients come back to a region that was left (REQUIREMENTS F3, F10), a share at a time.
 *
 * What holds between any two steps:
 * - the region is whole before clients are led there: its nodes form a cluster, its members of the stores follow their primaries, and
 *   two other regions see it well;
 * - at each share the service is proven before the next one is begun;
 * - its sessions come back last, once it has borne its traffic.
 */
export const regionFailback = runbook<{ region: string }>('region-failback', async (run, { region }) => {
  run.mark('faultAt', run.firstSeenAt);
  const world = await run.look('See how the world is shared', () => work.lookAtWorld({ region }));
  const { home, weights: before } = world;
  if (Object.entries(home).every(([name, weight]) => before[name] === weight))
    return run.succeeded(`clients are led to ${inWords(home)} already: there is nothing to bring back`);
  await run.nest({ title: 'Bring its nodes up', runbook: 'cluster-formation', input: { region } });
  await bringStores(run, region);
  await run.look('See it from the other regions', async () => {
    const seen = await seenFromOutside(region, world);
    const { failed, said, doubt } = seen.value;
    const why = failed ? said : doubt;
    if (run.mode !== 'plan') requireAllowed(whyNot('lead back', { region, why }));
    return seen;
  });
  let now = before;
  for (const weights of [evenly(home), home]) {
    const freshAt = await shift(run, `Lead clients to ${inWords(weights)}`, weights, now, { back: region });
    const proof = await run.verify('Prove it where clients are led', () => work.watchWorld());
    await passTtl(run, weights, freshAt);
    run.mark('provenAt', proof?.provenAt);
    now = weights;
  }
  await run.nest({ title: 'Give it its sessions back', runbook: 'rebalance', input: { region } });
  return `clients are led to ${inWords(home)} again`;
});

function leave(
  region: string,
  share: { weights: Record<string, number>; strained: string[] },
  doubt: string | undefined,
  planned: boolean,
) {
  const receivers = Object.keys(share.weights).filter((name) => share.weights[name]! > 0);
  return whyNot('leave region', { region, doubt, receivers, strained: share.strained, planned });
}

/** The same for each, 33/33/34 (REQUIREMENTS F3). */
function evenly(home: Readonly<Record<string, number>>): Record<string, number> {
  const regions = Object.keys(home).filter((name) => home[name]! > 0);
  const part = Math.floor(100 / regions.length);
  const rest = 100 - part * regions.length;
  return Object.fromEntries(
    Object.keys(home).map((name) => {
      const place = regions.indexOf(name);
      return [name, place < 0 ? 0 : part + (place >= regions.length - rest ? 1 : 0)];
    }),
  );
}
