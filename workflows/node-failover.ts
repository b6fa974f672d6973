import { runbook } from './engine/runbook';
import type { Run, Undo, Way } from './engine/run';
import { awaitHealthy, join, ramp, start, withdrawal } from './node';
import { quick } from './proxies';

/**
 * One MCP node has failed (REQUIREMENTS F1).
 *
 * What holds between any two steps:
 * - nothing is touched unless the failure was seen from two sides and the pool can spare the node;
 * - the node gets no traffic from its isolation until it has passed two checks in a row, real MCP calls included;
 * - its sessions have an owner that serves before its process is touched;
 * - the node is back at full weight, or a spare is in its place, before service is said to be proven.
 */
export const nodeFailover = runbook<{ node: string }>('node-failover', async (run, { node }) => {
  run.afterPause('Look at it again', () => quick.assessNode({ node }));
  if (run.mode === 'drill') await breakIt(run, node);
  const isolated = await run.act({
    title: 'Take it out of the load balancer',
    act: (how) => quick.isolateFailedNode({ node, since: run.firstSeenAt, how }),
    undo:
      run.mode === 'drill'
        ? { title: 'Start it and put it back', act: (how) => run.near(node).work.restoreNode({ node, how }) }
        : { title: 'Put it back into the load balancer', act: (how) => quick.readmitNode({ node, how }) },
  });
  if (isolated.after?.out === false) return run.succeeded(isolated.sentence);
  run.mark('faultAt', run.firstSeenAt);
  run.mark('isolatedAt', isolated.at);
  await handOver(run, node);

  const again = (attempt: number): Way<string> => ({
    name: `restart ${attempt}`,
    go: () => restart(run, node, attempt === 1 ? isolated.after?.sickPid : undefined),
  });
  const ways = Array.from({ length: run.briefing.restarts }, (_, i) => again(i + 1));
  const serving = await run.firstThatWorks('Bring its capacity back', [
    ...ways,
    { name: 'a spare', go: () => replace(run, node) },
  ]);

  const proof = await run.watch('Prove it through the load balancer', () =>
    run.near(serving).work.watchService({ node: serving }),
  );
  run.mark('provenAt', proof?.provenAt);
  return run.recovered(
    serving === node
      ? `${node} was restarted and serves again`
      : `${node} was replaced by ${serving}, which serves`,
  );
});

/** A drill's own fault; the rest of the procedure answers it as it would any other. */
async function breakIt(run: Run, node: string): Promise<void> {
  const broken = await run.act({
    title: 'Kill it, for the drill',
    act: (how) => quick.killNode({ node, how }),
    undo: { title: 'Make the fault good', act: (how) => run.near(node).work.restoreNode({ node, how }) },
  });
  run.mark('faultAt', broken.at);
}

async function handOver(run: Run, node: string): Promise<void> {
  const { after } = await run.act({
    title: 'Hand its sessions to the others',
    act: (how) => quick.handOverSessions({ node, how }),
  });
  run.lost('sessions', after?.lost ?? 0);
}

/** Restarts the node in place. `seenPid`: its process as assessed; looked up anew where that may be stale. */
async function restart(run: Run, node: string, seenPid: number | undefined): Promise<string> {
  const sickPid = seenPid ?? (await run.look('Look at its process', () => quick.lookAtProcess({ node }))).pid;
  await run.act({
    title: 'Restart it',
    act: (how) => run.near(node).work.restartNode({ node, sickPid, how }),
  });
  await bringIn(run, node);
  return node;
}

/** Puts a spare of the zone in the node's place and retires the node. */
async function replace(run: Run, node: string): Promise<string> {
  const spare = await run.look('Choose a spare', () => quick.chooseSpare({ node }));
  await start(run, spare);
  await join(run, spare);
  await bringIn(run, spare, withdrawal(run, spare));
  await run.act({ title: `Stop ${node}`, act: (how) => run.near(node).work.stopNode({ node, how }) });
  await run.act({
    title: `Retire ${node} from the load balancer`,
    act: (how) => quick.removeFromBalancer({ node, how }),
  });
  return spare;
}

/** No traffic before two healthy checks; then a little more at a time. */
async function bringIn(run: Run, node: string, undo?: Undo): Promise<void> {
  await awaitHealthy(run, node);
  await ramp(run, node, undo);
}
