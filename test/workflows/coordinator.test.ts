import { Operations } from '../../operations';
import type { Fault, Opened } from '../../core/coordination';
import { until } from '../harness/until';
import { launch } from '../../operations/launch';
import { openIncidents } from '../../workflows/messages';
import { BRIEFING, fails, hangs, useLab, works, type LabRun } from './lab';
import { development } from './lab/servers';
import catalogue from './lab/catalogue';

const lab = useLab(development);
let operations: Operations;
/** Each test has a zone of its own, so that what one leaves open says nothing of another's; the coordinator is one. */
let node: string;
let nodes = 0;

beforeAll(() => {
  operations = new Operations(lab().env.client, 'lab', catalogue);
});

beforeEach(() => {
  nodes += 1;
  node = `us-east-1/z${nodes}/n1`;
  lab().otherwise = { 'act drain': hangs() };
});

const start = (runbook: 'lab-ask' | 'lab-undo' = 'lab-undo') =>
  operations.start({ runbook, input: { node, lines: ['act drain'] }, by: 'grace' });

const fault = (fingerprint: string, more: Partial<Fault> = {}): Fault => ({
  runbook: 'lab-undo',
  input: { node, lines: ['act drain'] },
  scope: `node/${node}`,
  trigger: 'alert',
  alert: { source: 'test', fingerprint, summary: 'down', faultAt: '2026-11-21T12:00:00.000Z' },
  ...more,
});

const holder = async () => (await operations.coordination()).locks[`node/${node}`]?.run;
const incident = async () => (await operations.coordination()).incidents[`node/${node}`];
const free = async () => until(`${node} is free`, async () => (await holder()) === undefined);

/** Lets a run of the coordinator finish its work. */
async function finish(run: LabRun): Promise<void> {
  run.world.release('act drain');
  expect(await run.ends()).toMatchObject({ state: 'succeeded' });
}

describe('a scope', () => {
  it('that was refused is given to the same key once it is free', async () => {
    const { run: first } = await start('lab-ask');
    const again = () =>
      operations.start({ runbook: 'lab-undo', input: { node, lines: [] }, by: 'grace', key: `key-${node}` });
    await expect(again()).rejects.toMatchObject({ code: 'LOCK_HELD' });
    await finish(lab().run(first));
    await free();
    expect(await again()).toMatchObject({ joined: false });
  });

  it('is held by its run, from before the run begins until it is over', async () => {
    const { run, joined } = await start();
    expect(joined).toBe(false);
    expect(await holder()).toBe(run);
    await finish(lab().run(run));
    await free();
  });

  it('is held by a run that began, also where the coordinator did not get to record it', async () => {
    await finish(lab().run((await start()).run));
    await free();
    const request = { input: { node, lines: ['act drain'] } };
    const warrant = { by: 'grace', trigger: 'alert' as const, granted: BRIEFING };
    const run = `unrecorded-${node.replaceAll('/', '-')}`;
    await launch(lab().env.client, { run, runbook: 'lab-undo', scope: `node/${node}`, request, warrant });
    await until('its scope is held', async () => (await holder()) === run);
    expect(await start()).toEqual({ run, joined: true });
    await finish(lab().run(run));
    await free();
  });

  it('gets another run for a fault of the very millisecond in which it is handed over, where the first one is over', async () => {
    const at = '2026-11-21T12:34:56.789Z';
    const handOver = async (fingerprint: string) => {
      const seen = fault(fingerprint);
      const handed = { ...seen, alert: { ...seen.alert, faultAt: at }, reportedAt: at };
      const coordinator = lab().env.client.workflow.getHandle('coordinator-lab');
      const [answer] = await coordinator.executeUpdate(openIncidents, { args: [[handed]] });
      return answer as Opened;
    };
    await finish(lab().run((await start()).run)); // there is a coordinator then
    await free();
    const first = await handOver('a');
    await finish(lab().run(first.run));
    await free();
    const second = await handOver('b');
    expect(second).toMatchObject({ joined: false, run: expect.not.stringMatching(first.run) });
    await finish(lab().run(second.run));
  });

  it('is not held again by a run that is over, however short it was', async () => {
    const runs = new Set<string>();
    for (let i = 0; i < 5; i += 1) {
      const { run } = await operations.start({
        runbook: 'lab-undo',
        input: { node: `${node}-${i}`, lines: [] },
        by: 'grace',
      });
      await lab().run(run).ends();
      runs.add(run);
    }
    const told = await until('the coordinator was told of all ends', async () => {
      const { events } = await lab().run('coordinator-lab').handle.fetchHistory();
      const messages = (events ?? []).flatMap(
        ({ workflowExecutionUpdateAcceptedEventAttributes: update }) => {
          const { name, args } = update?.acceptedRequest?.input ?? {};
          return name ? [{ name, about: Buffer.from(args!.payloads![0]!.data!).toString() }] : [];
        },
      );
      const about = (run: string) =>
        messages.filter((message) => message.about.includes(run)).map(({ name }) => name);
      const orders = [...runs].map(about);
      return orders.every((order) => order.length === 3) && orders;
    });
    for (const order of told) expect(order).toEqual(['startRun', 'holds', 'released']);
  });

  it('is shared by who asks for the same runbook: they join its run', async () => {
    const { run } = await start();
    expect(await start()).toEqual({ run, joined: true });
    await finish(lab().run(run));
    await free();
    const next = await start();
    expect(next).toMatchObject({ joined: false });
    await finish(lab().run(next.run));
  });

  it('is refused to another runbook, which is told who holds it since when', async () => {
    const { run } = await start('lab-undo');
    const { since } = (await operations.coordination()).locks[`node/${node}`]!;
    await expect(start('lab-ask')).rejects.toMatchObject({
      code: 'LOCK_HELD',
      message: `node/${node} is held by ${run} since ${since}`,
    });
    await finish(lab().run(run));
  });

  it('is refused to a run from the Temporal UI while another holds it, and given to it after', async () => {
    const script = { acquireScope: ({ asked }: { asked: unknown }) => operations.acquire(asked as never) };
    const request = { input: { node, lines: ['act move'] } };
    const { run } = await start();
    const late = await lab().startInUi('lab-ask', request, script);
    expect(await late.ends()).toMatchObject({
      state: 'refused',
      sentence: expect.stringContaining(`is held by ${run}`),
    });
    await finish(lab().run(run));
    await free();
    const next = await lab().startInUi('lab-ask', request, script);
    expect(await next.ends()).toMatchObject({ state: 'succeeded' });
    await free();
  });

  it('comes back when its run could not be started; who asked is told why', async () => {
    const coordinator = lab().run('coordinator-lab').world;
    coordinator.scripts('launchRun', fails(`there is no node "${node}"`, 'UNKNOWN_TARGET'));
    await expect(start()).rejects.toMatchObject({
      code: 'UNKNOWN_TARGET',
      message: expect.stringMatching(/^lab-undo-.* was not started: there is no node/),
    });
    await expect(operations.openIncident(fault('a'))).rejects.toMatchObject({ code: 'UNKNOWN_TARGET' });
    expect(await holder()).toBeUndefined();
    expect(await incident()).toBeUndefined();
    coordinator.scripts('launchRun', works);
    await finish(lab().run((await start()).run));
  });
});

describe('a fault', () => {
  it('opens an incident and starts its run, which knows both', async () => {
    const { incident: id, run, joined } = await operations.openIncident(fault('a'));
    expect(joined).toBe(false);
    expect(await incident()).toMatchObject({ id, run, faultAt: '2026-11-21T12:00:00.000Z', arrivals: 1 });
    const report = await lab().run(run).report();
    expect(report).toMatchObject({ incident: id, by: 'test', trigger: 'alert', reason: 'down' });
    expect(report.alerts).toEqual([fault('a').alert]);
    await finish(lab().run(run));
    await until('the incident is closed', async () => (await incident()) === undefined);
  });

  it('that is seen again joins; its alert is attached to the run once', async () => {
    const first = await operations.openIncident(fault('a'));
    for (const fingerprint of ['a', 'b', 'b'])
      expect(await operations.openIncident(fault(fingerprint))).toEqual({ ...first, joined: true });
    expect(await incident()).toMatchObject({ arrivals: 4 });
    const run = lab().run(first.run);
    await finish(run);
    expect((await run.report()).alerts.map(({ fingerprint }) => fingerprint)).toEqual(['a', 'b']);
  });

  it('that outlives its run gets another one', async () => {
    const first = await operations.openIncident(fault('a'));
    await finish(lab().run(first.run));
    await free();
    const second = await operations.openIncident(fault('b'));
    expect(second).toMatchObject({ joined: false });
    expect(second.run).not.toBe(first.run);
    await finish(lab().run(second.run));
    await free();
  });

  it('that is seen a hundred times at once starts one run', async () => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) => operations.openIncident(fault(`${i}`))),
    );
    expect(new Set(answers.map(({ run }) => run)).size).toBe(1);
    expect(answers.filter(({ joined }) => !joined)).toHaveLength(1);
    await finish(lab().run(answers[0]!.run));
  });

  it('joins the run that a person had started there', async () => {
    const { run } = await start();
    const opened = await operations.openIncident(fault('a'));
    expect(opened).toMatchObject({ run, joined: true });
    expect(await incident()).toMatchObject({ id: opened.incident, run });
    // Before its end: the test server may lose an end that meets a signal.
    const alerts = await until('the run was told', async () => {
      const told = (await lab().run(run).report()).alerts;
      return told.length > 0 && told;
    });
    expect(alerts).toEqual([fault('a').alert]);
    await finish(lab().run(run));
  });

  it('that cannot be dealt with does not keep the others waiting', async () => {
    const bad = `${node}b`;
    lab()
      .run('coordinator-lab')
      .world.scripts('launchRun', ({ asked, usual }) =>
        (asked as { scope: string }).scope.endsWith('b')
          ? fails('no such node', 'UNKNOWN_TARGET')({ asked, usual } as never)
          : usual(),
      );
    const [refused, opened] = await Promise.allSettled([
      operations.openIncident(
        fault('a', { scope: `node/${bad}`, input: { node: bad, lines: ['act drain'] } }),
      ),
      operations.openIncident(fault('a')),
    ]);
    expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'UNKNOWN_TARGET' } });
    expect(opened).toMatchObject({ status: 'fulfilled', value: { joined: false } });
  });
});
