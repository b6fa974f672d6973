import { Operations } from '../../operations';
import { until } from '../harness/until';
import { fails, hangs, useLab, works } from './lab';
import catalogue from './lab/catalogue';

// On the server that skips time: the coordinator looks for runs that are gone every few seconds.
const lab = useLab();
let operations: Operations;
/** Each test has a zone of its own; the coordinator is one. */
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

const holder = async () => (await operations.coordination()).locks[`node/${node}`]?.run;
const free = async () => until(`${node} is free`, async () => (await holder()) === undefined);

describe('the scope of a run that was terminated in Temporal', () => {
  beforeEach(async () => {
    lab().otherwise = { 'act drain': fails('no such server') };
    const run = lab().run((await start('lab-ask')).run);
    await run.hasCalled();
    await run.terminate();
  });

  it('is found and freed within seconds', async () => {
    await lab().env.sleep('6s');
    await free();
  });

  it('is freed at once for who asks for it', async () => {
    await lab().env.sleep('3s');
    const { run, joined } = await start();
    expect(joined).toBe(false);
    await lab().run(run).ends();
  });
});

it('a scope stays held while nobody can say whether its run goes on, and the coordinator lives', async () => {
  const { run } = await start();
  const { world } = lab().run('coordinator-lab');
  const looked = world.calls.filter((call) => call === 'endedRuns').length;
  world.scripts('endedRuns', fails('no answer', 'TEMPORAL_UNREACHABLE'));
  await world.begins('endedRuns', looked + 5); // as often as it is tried
  await until('it goes on', async () => (await holder()) === run);
  world.scripts('endedRuns', works);
  await world.begins('endedRuns', looked + 6);
  lab().run(run).world.release('act drain');
  expect(await lab().run(run).ends()).toMatchObject({ state: 'succeeded' });
  await free();
});
