import { workflowInfo } from '@temporalio/workflow';
import { JUDGED, isSteady, judgeDrill, type DrillFault, type Experiment } from '../core/drill';
import { runbook } from './engine/runbook';
import type { Run } from './engine/run';
import { long, quick, work } from './proxies';

/** How long clients are watched before the fault, and after the rescue, ms. */
const STEADY_MS = 3_000;
/** The load outlasts the fault by this much, ms. */
const MARGIN_MS = 30_000;

interface Drill {
  node: string;
  fault?: DrillFault;
  clients?: number;
  seconds?: number;
}

/**
 * An experiment on one node (REQUIREMENTS X1–X3).
 *
 * What holds between any two steps:
 * - nothing is broken unless clients are well served and nothing else is going on;
 * - the fault undoes itself after a time, on the node's own machine, and is undone however this run ends;
 * - the drill repairs nothing: what heals is the run that starts by itself, on the node's scope, which is left free for it;
 * - what is judged was seen by the drill's own clients and probes; what the other run says of itself proves nothing.
 */
export const componentDrill = runbook<Drill>('component-drill', async (run, input) => {
  const { node, fault = 'kill', clients = 10, seconds = 60 } = input;
  const on = { node, key: workflowInfo().workflowId };
  const forMs = seconds * 1000;
  const ground = await run.look('See that nothing else is going on', () => quick.assessDrill({ node }));
  await run.act({
    title: 'Put clients on it',
    act: (how) => work.beginObserving({ ...on, ...ground, clients, forMs: forMs + MARGIN_MS, how }),
    undo: { title: 'Take clients and fault away', act: (how) => work.endDrill({ ...on, how }) },
  });
  const seen = await run.verify('See a steady state', () => work.awaitSteady({ ...on, forMs: STEADY_MS }));
  if (seen && !isSteady(seen)) {
    await end(run, on);
    return run.verdict(
      'inconclusive',
      `there was no steady state: ${seen.ok} calls were well answered, ${seen.failed} failed; nothing was broken`,
    );
  }
  const broken = await run.act({
    title: fault === 'hang' ? 'Hang it' : 'Kill it',
    act: (how) => work.injectFault({ ...on, ...ground, fault, forMs, how }),
  });
  const injected = broken.after ?? broken.before;
  if (run.mode === 'plan' || !injected) return `${node} would be broken, and healed by what starts by itself`;
  run.mark('faultAt', new Date(injected.at).toISOString());
  const rescue = await run.verify('Wait for the run that starts by itself', () =>
    long.awaitRescue({ node, until: injected.until }),
  );
  if (rescue?.other) {
    await end(run, on);
    return run.verdict('interrupted', `${rescue.other}; what the drill had broken is made good`);
  }
  await run.verify('See the steady state again', () => work.awaitSteady({ ...on, forMs: STEADY_MS }));
  const written = await end(run, on);
  if (!written?.ledger) return run.verdict('inconclusive', 'the observer has written nothing down');
  const { ledger } = written;
  return judge(run, {
    ledger,
    fault: written.fault ?? injected,
    rescue: rescue?.claim ?? null,
    rtoMs: run.briefing.rtoMs,
  });
});

async function end(run: Run, on: { node: string; key: string }) {
  const { after } = await run.act({
    title: 'Take clients and fault away',
    act: (how) => work.endDrill({ ...on, how }),
  });
  return after;
}

/** The experiment is kept whole as the evidence of the verdict: the report is drawn from it. */
async function judge(run: Run, experiment: Experiment): Promise<never> {
  const verdict = await run.look(JUDGED, async () => {
    const found = judgeDrill(experiment);
    return { sentence: found.sentence, value: { verdict: found, experiment } };
  });
  const { outcome, sentence, recoveredAt, sessionsLost } = verdict.verdict;
  if (recoveredAt !== undefined) run.mark('provenAt', new Date(recoveredAt).toISOString());
  run.lost('sessions', sessionsLost);
  return run.verdict(outcome, sentence);
}
