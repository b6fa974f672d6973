import type { Fault } from '../../core/coordination';
import { Operations } from '../../operations';
import { until } from '../harness/until';
import { hangs, NODE, SCOPE, useLab } from './lab';
import catalogue from './lab/catalogue';
import { development } from './lab/servers';

// A history of a few dozen events is enough for the server to ask for a new one.
const lab = useLab(() => development('limit.historyCount.suggestContinueAsNew=40'));

const fault: Fault = {
  runbook: 'lab-undo',
  input: { node: NODE, lines: ['act drain'] },
  scope: SCOPE,
  trigger: 'alert',
  alert: { source: 'test', fingerprint: 'a', summary: 'down', faultAt: '2026-11-21T12:00:00.000Z' },
};

it('the coordinator goes on with a new history: locks and incidents are kept, no fault is lost', async () => {
  const { client } = lab().env;
  const operations = new Operations(client, 'lab', catalogue);
  lab().otherwise = { 'act drain': hangs() };
  const first = await operations.openIncident(fault);
  const coordinator = client.workflow.getHandle('coordinator-lab');
  const { runId: before } = await coordinator.describe();

  let sent = 1;
  await until('the coordinator has a new history', async () => {
    expect(await operations.openIncident(fault)).toEqual({ ...first, joined: true });
    sent += 1;
    return (await coordinator.describe()).runId !== before;
  });

  expect(await operations.openIncident(fault)).toEqual({ ...first, joined: true });
  const { locks, incidents, opened } = await operations.coordination();
  expect(locks[SCOPE]).toMatchObject({ run: first.run, runbook: 'lab-undo' });
  expect(incidents[SCOPE]).toMatchObject({ id: first.incident, arrivals: sent + 1 });
  expect(opened).toBe(1);

  lab().run(first.run).world.release('act drain');
  await until('the scope is free', async () => !(await operations.coordination()).locks[SCOPE]);
});
