import type { Readiness, ReadinessView, Verdict } from '../../core/readiness';
import { Foresight, keepReady, readinessAgain, readinessOf } from '../../operations/readiness';
import { until } from '../harness/until';
import { answers, fails, useLab } from './lab';
import { development } from './lab/servers';
import type { World } from './lab/script';

// A history of a few dozen events is enough for the server to ask for a new one.
const lab = useLab(() => development('limit.historyCount.suggestContinueAsNew=60'));

const ID = 'readiness-lab';
const client = () => lab().env.client;
const world = (): World => lab().run(ID).world;
const calls = (name: string) => world().calls.filter((call) => call === name).length;

const standing = (runbook: string, verdict: Verdict): Readiness => ({
  runbook,
  verdict,
  shortfalls: verdict === 'not ready' ? [{ verdict, says: `${runbook} has no spare`, todo: 'add one' }] : [],
  forecast: { runs: 3, rtoMs: 7_000 },
  objectiveMs: 5_000,
});
/** From now on a look finds this; the next one comes by itself in an hour. */
function finds(node: Verdict, zone: Verdict = 'ready'): void {
  const view: ReadinessView = {
    at: new Date().toISOString(),
    everyMs: 3_600_000,
    runbooks: [standing('lab-ask', node), standing('lab-zone', zone)],
  };
  world().scripts('evaluateReadiness', answers({ view, history: { 'lab-ask': { runs: 3 } } }));
}
const again = () => readinessAgain(client(), 'lab');
const verdicts = (view: ReadinessView | null) => view?.runbooks.map(({ verdict }) => verdict);
const told = () => world().notices.map((notice) => (notice as { subject: string }).subject);
/** What the journal was told, as `runbook: from → to`. */
const written: string[] = [];

beforeAll(async () => {
  finds('ready');
  world().scripts('recordReadiness', ({ asked }) => {
    for (const { runbook, from, to } of asked as { runbook: string; from: string; to: string }[])
      written.push(`${runbook}: ${from} → ${to}`);
  });
  expect(await readinessOf(client(), 'lab')).toBeNull();
  await keepReady(client(), { environment: 'lab' });
  await keepReady(client(), { environment: 'lab' });
  await until('it was evaluated', async () => verdicts(await readinessOf(client(), 'lab')));
});

it('answers with the last evaluation, and evaluates when it is asked to', async () => {
  expect(verdicts(await readinessOf(client(), 'lab'))).toEqual(['ready', 'ready']);
  const before = calls('evaluateReadiness');
  finds('warning');
  expect(verdicts(await again())).toEqual(['warning', 'ready']);
  expect(calls('evaluateReadiness')).toBe(before + 1);
  expect(told()).toEqual([]);
  await until('the change is written', () => written.includes('lab-ask: ready → warning'));
});

it('tells people once of what was seen not ready twice, and again after it was seen otherwise', async () => {
  finds('not ready');
  await again();
  expect(told()).toEqual([]);
  await again();
  await until('people are told', () => told().length === 1);
  expect(told()).toEqual(['lab-ask is not ready: lab-ask has no spare']);
  await again();
  finds('not ready', 'not ready');
  await again();
  await again();
  await until('people are told of the other one too', () => told().length === 2);
  expect(told()[1]).toBe('lab-zone is not ready: lab-zone has no spare');
  finds('ready');
  await again();
  finds('not ready');
  await again();
  await again();
  await until('people are told again', () => told().length === 3);
  finds('ready');
  await again();
  finds('not ready');
  await again();
  finds('ready'); // a moment's trouble
  await again();
  await again();
  expect(told()).toHaveLength(3);
});

it('what could not be told or written is so after the next look', async () => {
  world().scripts('tellUnready', fails('no route', 'BAD_CONFIG'));
  world().scripts('recordReadiness', fails('away', 'BAD_CONFIG'));
  const [before, tells] = [written.length, calls('tellUnready')];
  finds('not ready');
  await again();
  await again();
  await until('people and the journal were tried, in that order', () => {
    const last = (name: string) => world().calls.lastIndexOf(name);
    return calls('tellUnready') > tells && last('recordReadiness') > last('tellUnready');
  });
  world().scripts('tellUnready', answers(undefined));
  world().scripts('recordReadiness', ({ asked }) => {
    for (const { runbook, from, to } of asked as { runbook: string; from: string; to: string }[])
      written.push(`${runbook}: ${from} → ${to}`);
  });
  const tried = told().length;
  await again();
  await again();
  await until('people are told', () => told().length > tried);
  await until('the change is written', () => written.slice(before).includes('lab-ask: ready → not ready'));
});

it('goes on with a new history, and knows what it knew', async () => {
  finds('not ready');
  await again();
  const handle = client().workflow.getHandle(ID);
  const { runId } = await handle.describe();
  const before = told().length;
  await until('it has a new history', async () => {
    expect(verdicts(await again())).toEqual(['not ready', 'ready']);
    return (await handle.describe()).runId !== runId;
  });
  await again();
  expect(told()).toHaveLength(before);
});

it('what a run will come to is known at once, and nobody is asked for it', async () => {
  finds('not ready');
  await again();
  let asked = 0;
  const foresight = new Foresight(async () => {
    asked += 1;
    return readinessOf(client(), 'lab');
  });
  expect(foresight.of('lab-ask')).toBeUndefined();
  await foresight.refresh();
  expect(foresight.of('lab-ask')).toEqual({ runs: 3, rtoMs: 7_000, doubt: 'lab-ask has no spare' });
  expect(foresight.of('lab-zone')).toEqual({ runs: 3, rtoMs: 7_000 });
  expect(foresight.of('lab-undo')).toBeUndefined();
  expect(asked).toBe(1);
});
