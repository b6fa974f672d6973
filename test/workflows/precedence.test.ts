import type { Fault } from '../../core/coordination';
import { Operations, type StartAsk } from '../../operations';
import { until } from '../harness/until';
import { answers, hangs, insists, outline, useLab, works, type LabRun } from './lab';
import { development } from './lab/servers';
import { RULES } from './lab/activities';
import catalogue from './lab/catalogue';

const lab = useLab(development);
let operations: Operations;
/** Each test has a zone of its own; the coordinator is one. */
let zone: string;
let zones = 0;

beforeAll(() => {
  operations = new Operations(lab().env.client, 'lab', catalogue);
});

beforeEach(() => {
  zones += 1;
  zone = `us-east-1/z${zones}`;
  lab().otherwise = { 'act drain': insists(), 'look pool': hangs(), 'act zone': hangs() };
});

const node = (name = 'n1') => `${zone}/${name}`;

const fault = (name: string, more: Partial<Fault> = {}): Fault => ({
  runbook: 'lab-undo',
  input: { node: node(name), lines: ['act drain', 'act ramp'] },
  scope: `node/${node(name)}`,
  trigger: 'monitor',
  alert: { source: 'test', fingerprint: name, summary: `${name} is down`, faultAt: new Date().toISOString() },
  ...more,
});

const start = (ask: Partial<StartAsk> = {}) =>
  operations.start({
    runbook: 'lab-undo',
    input: { node: node(), lines: ['act drain', 'act ramp'] },
    by: 'grace',
    ...ask,
  });

const startZone = () => start({ runbook: 'lab-zone', input: { zone } });

/** A run of the coordinator that is in the middle of draining. */
async function draining({ run }: { run: string }): Promise<LabRun> {
  const found = lab().run(run);
  await found.world.begins('act drain');
  return found;
}

async function ended(run: LabRun, ...calls: string[]) {
  for (const call of calls) run.world.release(call);
  return outline(await run.ends());
}

/** As {@link ended}, once the run knows that it has to make room: who ends an act before that goes on. */
async function makesRoom(run: LabRun, ...calls: string[]) {
  await until(`${run.id} was asked to make room`, async () => {
    const { events } = await run.handle.fetchHistory();
    return events?.some((event) => event.workflowExecutionSignaledEventAttributes?.signalName === 'yieldTo');
  });
  return ended(run, ...calls);
}

describe('a wider rescue', () => {
  it('waits for the narrower ones, which stop before their next step and leave their work to it', async () => {
    const narrow = await draining(await operations.openIncident(fault('n1')));
    const { run } = await startZone();
    const wide = lab().run(run);
    expect(await wide.reaches('waiting for lock')).toMatchObject({
      sentence: `waits until ${narrow.id} made room`,
    });
    expect(await operations.explain()).toEqual([
      expect.stringMatching(
        `^node/${node()} is held by ${narrow.id} .*; it was asked to make room for ${run}$`,
      ),
      expect.stringMatching(
        `^${run} waits for zone/${zone} since .* until ${narrow.id} on node/${node()} has made`,
      ),
    ]);
    expect(await makesRoom(narrow, 'act drain')).toEqual({
      state: 'absorbed',
      sentence: `absorbed by ${run}: lab-zone on zone/${zone} takes over from here`,
      steps: ['act drain: done'],
      decisions: [],
    });
    await wide.world.begins('act zone');
    expect(await ended(wide, 'act zone')).toMatchObject({ state: 'succeeded' });
  });

  it('does not wait for a look, which is interrupted', async () => {
    const lines = ['act free', 'look pool', 'act ramp'];
    const narrow = lab().run((await start({ input: { node: node(), lines } })).run);
    await narrow.world.begins('look pool');
    const wide = lab().run((await startZone()).run);
    expect(outline(await narrow.ends())).toMatchObject({
      state: 'absorbed',
      steps: ['act free: done', 'look pool: failed'],
    });
    await wide.world.begins('act zone');
    await ended(wide, 'act zone');
  });

  it('does not wait for what an act waits for', async () => {
    lab().otherwise['act drain'] = hangs();
    const narrow = await draining(await operations.openIncident(fault('n1')));
    const wide = lab().run((await startZone()).run);
    expect(outline(await narrow.ends())).toMatchObject({ state: 'absorbed', steps: ['act drain: failed'] });
    await wide.world.begins('act zone');
    await ended(wide, 'act zone');
  });

  it('does not wait for a step that waits for a scope itself', async () => {
    const elsewhere = `elsewhere/z${zones}/n1`;
    const other = await draining(await start({ input: { node: elsewhere, lines: ['act drain'] } }));
    const lines = [{ nest: { node: elsewhere, lines: ['act move'] }, by: 'lab-ask' }];
    const narrow = lab().run((await start({ input: { node: node(), lines } })).run);
    await until('its step waits', async () =>
      (await narrow.report()).steps[0]?.sentence?.includes(`held by ${other.id}`),
    );
    const wide = lab().run((await startZone()).run);
    expect(outline(await narrow.ends())).toMatchObject({
      state: 'absorbed',
      steps: ['run lab-ask: failed'],
    });
    await wide.world.begins('act zone');
    await ended(wide, 'act zone');
    await ended(other, 'act drain');
  });

  it('has a drill undone, and planned work', async () => {
    const drill = await draining(await start({ mode: 'drill' }));
    const planned = await draining(
      await start({ runbook: 'lab-planned', input: { node: node('n2'), lines: ['act drain', 'act ramp'] } }),
    );
    const wide = lab().run((await startZone()).run);
    for (const interrupted of [drill, planned])
      expect(await makesRoom(interrupted, 'act drain')).toMatchObject({
        state: 'interrupted',
        sentence: `interrupted by ${wide.id}: lab-zone on zone/${zone} goes first; what was done is undone`,
        steps: ['act drain: done', 'undo drain: done'],
      });
    await wide.world.begins('act zone');
    await ended(wide, 'act zone');
  });

  it('gets its scope from a run that was terminated before it could make room', async () => {
    const narrow = await draining(await operations.openIncident(fault('n1')));
    const wide = lab().run((await startZone()).run);
    await wide.reaches('waiting for lock');
    await narrow.handle.terminate();
    narrow.world.release('act drain');
    await wide.world.begins('act zone');
    await ended(wide, 'act zone');
  });

  it('that is aborted while it waits touches nothing', async () => {
    const narrow = await draining(await operations.openIncident(fault('n1')));
    const wide = lab().run((await startZone()).run);
    await wide.reaches('waiting for lock');
    await wide.decide('abort');
    expect(outline(await wide.ends())).toMatchObject({ state: 'aborted', steps: [] });
    await ended(narrow, 'act drain');
  });
});

it('what a wider run was to deal with, and did not, gets a run of its own again', async () => {
  const narrow = await draining(await operations.openIncident(fault('n1')));
  const wide = lab().run((await start({ runbook: 'lab-zone', input: { zone, lines: [] } })).run);
  expect(await makesRoom(narrow, 'act drain')).toMatchObject({ state: 'absorbed' });
  expect(outline(await wide.ends())).toMatchObject({ state: 'succeeded', steps: [] });
  const { run } = await until(
    'the node has a run again',
    async () => (await operations.coordination()).locks[`node/${node()}`],
  );
  expect(run).not.toBe(narrow.id);
  expect(await ended(lab().run(run), 'act drain')).toMatchObject({ state: 'succeeded' });
});

it('a person goes before automation on the same scope, whose work is undone', async () => {
  const automatic = await draining(await operations.openIncident(fault('n1')));
  const person = lab().run((await start({ runbook: 'lab-ask' })).run);
  expect(await makesRoom(automatic, 'act drain')).toMatchObject({
    state: 'interrupted',
    steps: ['act drain: done', 'undo drain: done'],
  });
  await person.world.begins('act drain');
  expect(await ended(person, 'act drain')).toMatchObject({ state: 'succeeded' });
});

it('what goes after is refused, and told whom it would be in the way of', async () => {
  const wide = lab().run((await startZone()).run);
  await expect(start({ mode: 'drill' })).rejects.toMatchObject({
    code: 'LOCK_HELD',
    message: expect.stringMatching(`^node/${node()} overlaps zone/${zone}, held by ${wide.id} since`),
  });
  await wide.world.begins('act zone');
  await ended(wide, 'act zone');
});

describe('faults of many nodes of a zone', () => {
  it('become one run of the zone: runs that have begun are absorbed, later faults join it', async () => {
    await oneZoneOf8();
    const first = await operations.openIncident(fault('n1'));
    const second = await operations.openIncident(fault('n2'));
    const third = await operations.openIncident(fault('n3'));
    expect(third).toMatchObject({ joined: true, run: expect.stringMatching(/^lab-zone-/) });
    for (const name of ['n4', 'n5', 'n6', 'n1', 'n6'])
      expect(await operations.openIncident(fault(name))).toEqual(third);
    for (const { run } of [first, second])
      expect(await makesRoom(lab().run(run), 'act drain')).toMatchObject({ state: 'absorbed' });
    const wide = lab().run(third.run);
    await wide.world.begins('act zone');
    const { incidents } = await operations.coordination();
    expect(Object.keys(incidents)).toEqual([`zone/${zone}`]);
    expect(incidents[`zone/${zone}`]!.places).toHaveLength(6);
    await until('all have reached it', async () => (await wide.report()).alerts.length === 7);
    await ended(wide, 'act zone');
    const report = await wide.report();
    expect(report.reason).toBe(`3 of 8 nodes of ${zone} have failed: n1, n2, n3`);
    expect(report.alerts.map(({ summary }) => summary).slice(1)).toEqual(
      expect.arrayContaining(['n1', 'n2', 'n3', 'n4', 'n5', 'n6'].map((name) => `${name} is down`)),
    );
  });

  it('that come in at once start nothing but the zone’s run', async () => {
    await oneZoneOf8();
    const opened = await Promise.all([1, 2, 3, 4, 5, 6].map((n) => operations.openIncident(fault(`n${n}`))));
    const runs = new Set(opened.map(({ run }) => run));
    expect([...runs]).toEqual([expect.stringMatching(/^lab-zone-/)]);
    const wide = lab().run(opened[0]!.run);
    await wide.world.begins('act zone');
    await ended(wide, 'act zone');
  });

  it('take symptoms of the same place as evidence, which start nothing by themselves', async () => {
    const symptom = (scope: string) => ({
      scope,
      alert: { ...fault('n1').alert, fingerprint: scope, summary: `${scope} is slow` },
    });
    await expect(operations.noteSymptom(symptom(`zone/${zone}`))).rejects.toMatchObject({
      code: 'NO_RUNBOOK',
      message: `no runbook answers it, and no incident is open that zone/${zone} is part of`,
    });
    const wide = lab().run(
      (
        await operations.openIncident(
          fault('n1', { runbook: 'lab-zone', input: { zone }, scope: `zone/${zone}` }),
        )
      ).run,
    );
    for (const scope of [`zone/${zone}`, `node/${node('n7')}`])
      expect(await operations.noteSymptom(symptom(scope))).toMatchObject({ run: wide.id, joined: true });
    await wide.world.begins('act zone');
    await until('both have reached it', async () => (await wide.report()).alerts.length === 3);
    await ended(wide, 'act zone');
    expect((await wide.report()).alerts.map(({ summary }) => summary)).toEqual([
      'n1 is down',
      `zone/${zone} is slow`,
      `node/${node('n7')} is slow`,
    ]);
  });

  async function oneZoneOf8(): Promise<void> {
    const nodes = { ...RULES.nodes, [`zone/${zone}`]: 8 };
    lab()
      .run('coordinator-lab')
      .world.scripts('coordinationRules', answers({ ...RULES, nodes }));
    await operations.keepCoordinated();
  }
});

describe('automation that has done the same too often', () => {
  let times = 0;

  beforeEach(async () => {
    const repeats = { node: { times: 2, withinMs: 600_000 } };
    lab()
      .run('coordinator-lab')
      .world.scripts('coordinationRules', answers({ ...RULES, repeats }));
    await operations.keepCoordinated();
    lab().otherwise = {};
    for (const _ of [1, 2])
      await lab()
        .run((await newFault()).run)
        .ends();
  });

  /** A fault that no run has answered yet, once the scope is free. */
  async function newFault() {
    await until('the scope is free', async () => !(await operations.coordination()).locks[`node/${node()}`]);
    const { alert } = fault('n1');
    const another = { ...alert, fingerprint: `n1, time ${(times += 1)}` }; // not an echo of the last one
    return operations.openIncident(fault('n1', { runbook: 'lab-ask', alert: another }));
  }

  it('asks a person before the next time, and goes on when one says so', async () => {
    const run = lab().run((await newFault()).run);
    const asking = await run.hasCalled();
    expect(outline(asking)).toMatchObject({
      state: 'needs attention',
      sentence: expect.stringContaining('was carried out on'),
      steps: ['Ask before acting again: failed', 'Call ada: done'],
    });
    await run.decide('retry');
    expect(outline(await run.ends())).toMatchObject({
      state: 'succeeded',
      steps: expect.arrayContaining(['Ask before acting again: done', 'act drain: done']),
    });
    // A person has seen it: the count begins anew.
    const next = lab().run((await newFault()).run);
    expect(outline(await next.ends()).steps).toEqual(['act drain: done', 'act ramp: done']);
  });

  it('touches nothing where the person says no', async () => {
    const run = lab().run((await newFault()).run);
    await run.hasCalled();
    await run.decide('abort');
    expect(outline(await run.ends())).toMatchObject({ state: 'aborted' });
    expect(run.world.calls).not.toContain('act drain');
  });

  it('is not held against a person', async () => {
    const run = lab().run((await start({ runbook: 'lab-ask' })).run);
    expect(outline(await run.ends())).toMatchObject({ state: 'succeeded' });
  });
});

describe('planned work', () => {
  it('is refused while an incident is open, and in a time that is blocked', async () => {
    const rescue = await draining(await operations.openIncident(fault('n1')));
    const drill = () => start({ mode: 'drill', input: { node: node('n2'), lines: [] } });
    await expect(drill()).rejects.toMatchObject({ code: 'NOT_NOW', message: /^no drill now: incident INC-/ });
    await ended(rescue, 'act drain');
    const windows = {
      blocked: [{ from: '2020-01-01T00:00:00Z', to: '2999-01-01T00:00:00Z', reason: 'big sale' }],
    };
    const { world } = lab().run('coordinator-lab');
    world.scripts('coordinationRules', answers({ ...RULES, windows }));
    await operations.keepCoordinated();
    await until(
      'the incident is closed',
      async () => Object.keys((await operations.coordination()).incidents).length === 0,
    );
    await expect(drill()).rejects.toMatchObject({ code: 'NOT_NOW', message: /blocked until .*: big sale/ });
    world.scripts('coordinationRules', works);
    await operations.keepCoordinated();
    await lab()
      .run((await drill()).run)
      .ends();
  });
});
