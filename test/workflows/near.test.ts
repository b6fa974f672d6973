import { TASK_QUEUE, regionQueue } from '../../workflows/messages';
import { until } from '../harness/until';
import { BRIEFING, hangs, useLab, type Asked, type Line } from './lab';

const lab = useLab();

const HERE = 'us-east-1';
const there = regionQueue(HERE);
const near = (line: 'look pool' | 'act drain' | 'act move', region = HERE): Line => ({ near: line, region });

function begin(lines: Line[], attended: string[], script?: Asked['script']) {
  const warrant = { granted: { ...BRIEFING, attended } };
  return lab().start({ lines, warrant, ...(script && { script }) });
}

it('what touches a region is carried out by a worker of it', async () => {
  await lab().withWorkerIn(HERE, async () => {
    const run = await begin([near('look pool'), near('act drain'), 'act move'], [HERE]);
    expect(await run.ends()).toMatchObject({ state: 'succeeded' });
    expect(run.world.queues).toEqual({
      'look pool': [there],
      'act drain': [there],
      'act move': [TASK_QUEUE],
    });
  });
});

it('where nobody takes it up there within 2 s anybody does, and is asked first from then on', async () => {
  const run = await begin([near('look pool'), near('act drain'), near('act move')], [HERE]);
  const { state, steps } = await run.ends();
  expect(state).toBe('succeeded');
  expect(run.world.queues).toEqual({
    'look pool': [TASK_QUEUE],
    'act drain': [TASK_QUEUE],
    'act move': [TASK_QUEUE],
  });
  const [first, ...others] = steps.map(
    ({ startedAt, endedAt }) => Date.parse(endedAt!) - Date.parse(startedAt),
  );
  expect(first).toBeGreaterThanOrEqual(2_000);
  for (const took of others) expect(took).toBeLessThan(2_000);
});

it.each([
  { region: 'eu-central-1', attended: [HERE] },
  { region: HERE, attended: [] },
])('a region without workers is not waited for: $region', async ({ region, attended }) => {
  const run = await begin([near('act drain', region)], attended);
  const { steps } = await run.ends();
  expect(run.world.queues).toEqual({ 'act drain': [TASK_QUEUE] });
  expect(Date.parse(steps[0]!.endedAt!) - Date.parse(steps[0]!.startedAt)).toBeLessThan(2_000);
});

it('one that is slow there is not begun elsewhere beside it', async () => {
  await lab().withWorkerIn(HERE, async () => {
    const run = await begin([near('act drain')], [HERE], { 'act drain': hangs() });
    await run.world.begins('act drain');
    const began = Date.now();
    await until('more than the patience has passed', () => Date.now() - began > 2_500);
    run.world.release('act drain');
    await run.ends();
    expect(run.world.queues).toEqual({ 'act drain': [there] });
  });
});
