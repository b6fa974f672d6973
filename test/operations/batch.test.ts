import { Batcher } from '../../operations/batch';
import { until } from '../harness/until';

/** A batcher whose batches end when the test says so. */
function gated(options: { size?: number; waiting?: number; patienceMs?: number } = {}) {
  const sent: { asks: number[]; end: (error?: Error) => void }[] = [];
  const batcher = new Batcher<number, string>({
    send: (asks) =>
      new Promise((resolve, reject) => {
        const end = (error?: Error) => (error ? reject(error) : resolve(asks.map((ask) => `answer ${ask}`)));
        sent.push({ asks, end });
      }),
    inFlight: 1,
    size: 3,
    waiting: 4,
    patienceMs: 60_000,
    ...options,
  });
  return { batcher, sent };
}

it('sends together what comes together, at once, and what comes meanwhile in the next', async () => {
  const { batcher, sent } = gated();
  const answers = [1, 2].map((ask) => batcher.ask(ask));
  await until('they are sent', () => sent.length === 1);
  answers.push(...[3, 4, 5, 6].map((ask) => batcher.ask(ask)));
  sent[0]!.end();
  await until('the next batch is sent', () => sent.length === 2);
  sent[1]!.end();
  await until('the rest is sent', () => sent.length === 3);
  sent[2]!.end();
  expect(sent.map(({ asks }) => asks)).toEqual([[1, 2], [3, 4, 5], [6]]);
  expect(await Promise.all(answers)).toEqual([1, 2, 3, 4, 5, 6].map((ask) => `answer ${ask}`));
});

it('tells everybody of a batch that fails, and goes on', async () => {
  const { batcher, sent } = gated();
  const first = batcher.ask(1);
  await until('it is sent', () => sent.length === 1);
  const second = batcher.ask(2);
  sent[0]!.end(new Error('gone'));
  await expect(first).rejects.toThrow('gone');
  await until('the next batch is sent', () => sent.length === 2);
  sent[1]!.end();
  expect(await second).toBe('answer 2');
});

it('refuses at once what is more than may wait', async () => {
  const { batcher, sent } = gated();
  const taken = [batcher.ask(0)];
  await until('the first is sent', () => sent.length === 1);
  taken.push(...[1, 2, 3, 4].map((ask) => batcher.ask(ask)));
  await expect(batcher.ask(5)).rejects.toMatchObject({
    code: 'TEMPORAL_UNREACHABLE',
    message: 'more comes in than can be handed over: 4 are waiting already',
  });
  for (let i = 0; i < 3; i += 1) {
    await until('a batch is sent', () => sent.length > i);
    sent[i]!.end();
  }
  expect(await Promise.all(taken)).toHaveLength(5);
});

it('does not send what nobody waits for any more', async () => {
  const { batcher, sent } = gated({ patienceMs: 50 });
  const first = batcher.ask(1);
  await until('it is sent', () => sent.length === 1);
  const asked = performance.now();
  const second = batcher.ask(2);
  await until('its time is over', () => performance.now() > asked + 60);
  sent[0]!.end();
  await expect(second).rejects.toMatchObject({ code: 'TEMPORAL_UNREACHABLE' });
  expect(await first).toBe('answer 1');
  expect(sent).toHaveLength(1);
});
