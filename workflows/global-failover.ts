import type { Earth } from '../activities/recovery/world';
import { whyNot } from '../core/guards';
import { chooseSite, halfway, lossInWords, type Level, type Loss, type Site } from '../core/recovery';
import { runbook } from './engine/runbook';
import type { Run } from './engine/run';
import { work } from './proxies';
import { putToRest, recoverStores, seeLoss } from './recovery';
import { bringStores, handOver, inWords, moveData, passTtl, prescale, shift } from './region';
import { requireAllowed } from './require-allowed';

interface Wanted {
  level: Level;
  region?: string;
}

/**
 * So many regions are lost that a site for disasters has to serve (REQUIREMENTS F4, F13).
 *
 * What holds between any two steps:
 * - nothing is touched while most regions are seen well, nor on the word of one vantage point; where nobody can tell of a region a
 *   person is asked, and nothing goes further than the level that two people have agreed to;
 * - the data come first: they are served by a member that is left, or from a backup where none is, their rivals fenced with evidence,
 *   before anybody is led to where they are needed. Acknowledged rows are given up only once a person has said so; from there on nobody goes back, and a step that fails
 *   asks;
 * - the nodes of the site are proven healthy before they own sessions, and own those of the lost regions before their clients arrive;
 * - the name moves last, upon the evidence of all before, and the run ends only once no earlier answer is in use and the service is
 *   proven from outside: what the nameservers answer, MCP calls where they lead, a write to each store.
 *
 * Undone, the name leads where it led before as long as somebody serves there. The data stay where they are, and what was started at the
 * site runs on, for it may have sessions by then. The way back is `dr-deactivate`.
 */
export const globalFailover = runbook<Wanted>('global-failover', async (run, { level, region: named }) => {
  const earth = await run.look('See which sites there are', () => work.lookAtEarth());
  const site = chooseSite(earth.sites, named);
  const loss = await run.look('See every region from the others', async () => {
    const seen = await seeLoss(earth);
    if (!nothingLost(seen.value)) requireAllowed(activate(level, seen.value, site, named));
    return seen;
  });
  if (nothingLost(loss) || !site) return run.succeeded(`${lossInWords(loss)}: there is nothing to fail over`);
  await askAboutUnknown(run, loss);
  run.mark('faultAt', run.firstSeenAt);
  const lost = [...loss.lost, ...loss.unknown.map(({ region }) => region)];
  const share = await run.look('See what each can bear', () => work.lookAtShares({ lost, site: site.site }));
  const known = await recoverStores(run, { level, lost, site: site.site });
  const plan = run.mode === 'plan' ? site : undefined;
  await activateSite(run, site, plan !== undefined && (site.role === 'cold' || !known));
  await prescale(run, { share });
  if (plan && !known) await predictHandOver(run, lost);
  else
    for (const region of lost)
      await handOver(run, region, share.weights, { forGood: true, arriving: plan?.nodes });
  const title = `Lead clients to ${inWords(share.weights)}`;
  const freshAt = await shift(run, title, share.weights, earth.weights, { arriving: plan && [plan.site] });
  const proof = await run.verify('Prove it where clients are led', () => work.watchWorld());
  run.mark('provenAt', proof?.provenAt);
  await passTtl(run, share.weights, freshAt);
  return run.recovered(
    `${site.site} serves in place of ${lost.join(' and ')}: clients are led to ${inWords(share.weights)}`,
  );
});

/**
 * Clients go home after a disaster, and the site that served them is put to rest (REQUIREMENTS F10): a standby runs on without traffic, a
 * cold site is stopped.
 *
 * What holds between any two steps:
 * - nothing is touched unless every region that clients come from answers, and nobody is led there before all of them are whole: their
 *   nodes form clusters, their members of the stores follow their primaries, two other regions see them well;
 * - at each share the service is proven before the next one is begun;
 * - the site serves until no earlier answer is in use, its sessions have owners at home, and the primaries are there.
 */
export const drDeactivate = runbook<{ region: string }>('dr-deactivate', async (run, { region: site }) => {
  run.mark('faultAt', run.firstSeenAt);
  const earth = await run.look('See which sites there are', () => work.lookAtEarth());
  const { planned, weights: before } = earth;
  const home = earth.home.filter((region) => before[region] !== planned[region]);
  const role = earth.sites.find((one) => one.site === site)?.role;
  await run.look('See whether their regions answer', async () => {
    const seen = await work.lookAtHome({ regions: home });
    const silent = seen.value.filter(({ answers }) => !answers);
    const notWhole = silent.map(
      ({ region, said }) => `the load balancer of ${region} does not answer (${said})`,
    );
    requireAllowed(whyNot('deactivate site', { site, role, notWhole }));
    return seen;
  });
  for (const region of home)
    await run.nest({
      title: `Bring the nodes of ${region} up`,
      runbook: 'cluster-formation',
      input: { region },
    });
  if (home.length > 0) await bringStores(run, home[0]!);
  if (role === 'cold') await moveData(run, site);
  await run.look('See every region from the others', async () => {
    const seen = await seeLoss(earth);
    const { lost, unknown } = seen.value;
    const notWhole = [...lost.map((region) => `${region} is seen lost`), ...unknown.map(({ why }) => why)];
    if (run.mode !== 'plan') requireAllowed(whyNot('deactivate site', { site, role, notWhole }));
    return seen;
  });
  await leadHome(run, earth, home);
  for (const region of earth.home)
    await run.nest({ title: `Give ${region} its sessions back`, runbook: 'rebalance', input: { region } });
  await putToRest(run, site, role === 'cold');
  return `clients are led to ${inWords(planned)} again, and ${site} is ${role}`;
});

/** In two shares, each proven before the next. */
async function leadHome(run: Run, { weights, planned }: Earth, home: string[]): Promise<void> {
  const to = { back: home[0], arriving: run.mode === 'plan' ? home : undefined };
  let now = weights;
  for (const share of [halfway(weights, planned), planned]) {
    const freshAt = await shift(run, `Lead clients to ${inWords(share)}`, share, now, to);
    const proof = await run.verify('Prove it where clients are led', () => work.watchWorld());
    await passTtl(run, share, freshAt);
    run.mark('provenAt', proof?.provenAt);
    now = share;
  }
}

function activate(level: Level, { lost, well, unknown }: Loss, site: Site | undefined, named?: string) {
  return whyNot('activate site', {
    level,
    lost,
    well,
    unknown: unknown.map(({ why }) => why),
    of: lost.length + well.length + unknown.length,
    site,
    named,
  });
}

function nothingLost({ lost, unknown }: Loss): boolean {
  return lost.length + unknown.length === 0;
}

/** What nobody can tell is for a person to say: to go on is to say that these regions are lost. */
async function askAboutUnknown(run: Run, { unknown }: Loss): Promise<void> {
  if (unknown.length === 0 || run.mode === 'plan') return;
  await run.doubt(
    'Ask what nobody can tell',
    `${unknown.map(({ why }) => why).join('; ')}: to go on is to say that ${unknown.map(({ region }) => region).join(' and ')} serves nobody`,
  );
}

/**
 * Load balancer, nodes, watch.
 * @param predicted what a plan cannot look into, because it does not run yet, is only told
 */
async function activateSite(run: Run, { site, role }: Site, predicted: boolean): Promise<void> {
  await run.act({
    title: `Start the load balancer of ${site}`,
    act: (how) => work.startSite({ site, how }),
  });
  const title = `Bring the nodes of ${site} up`;
  if (predicted) await run.act({ title, act: () => work.predictNodes({ site }) });
  else await run.nest({ title, runbook: 'cluster-formation', input: { region: site } });
  if (role === 'cold')
    await run.act({ title: `Have ${site} watched`, act: (how) => work.watchSite({ site, how }) });
}

/** The session store does not answer before it was recovered, so that nobody can tell how many sessions there are. */
async function predictHandOver(run: Run, lost: string[]): Promise<void> {
  for (const region of lost)
    await run.act({
      title: 'Hand its sessions to the others',
      act: async () => ({
        changed: true,
        sentence: `would hand the sessions of ${region} to those that serve then`,
      }),
    });
}
