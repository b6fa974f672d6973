import { SwitchoverError } from '../../core/errors';
import { noInbox, type Inbox } from '../../server/inbox';
import { Intake } from '../../server/intake';
import { Lately } from '../../server/lately';
import { until } from '../harness/until';

const AWAY = new SwitchoverError('TEMPORAL_UNREACHABLE', 'no answer in time');
const REFUSED = new SwitchoverError('UNKNOWN_TARGET', 'there is no such node');

interface Item {
  place: string;
  deal: () => Promise<string>;
}

/** Keeps items in memory, and says what became of them; a real one is in postgres-inbox.test.ts. */
class Shelf implements Inbox<Item> {
  readonly kept = new Set<Item>();
  readonly putOff: Item[] = [];
  away = false;

  async keep(item: Item) {
    if (!this.away) this.kept.add(item);
    return !this.away;
  }
  async done(item: Item) {
    this.kept.delete(item);
  }
  async later(item: Item) {
    this.putOff.push(item);
  }
  async due(atMost: number) {
    return this.putOff.splice(0, atMost);
  }
  async close() {}
}

let now: number;
let warned: unknown[];
let shelf: Shelf;
let intake: Intake<Item, string>;

const open = (inbox: Inbox<Item>) =>
  new Intake<Item, string>({
    inbox,
    lately: new Lately<string>(() => now),
    matterOf: (item) => item,
    lasting: (answer) => `${answer}, joined`,
    kept: 'kept',
    warn: (error) => warned.push(error),
  });

beforeEach(() => {
  [now, warned, shelf] = [0, [], new Shelf()];
  intake = open(shelf);
});
afterEach(() => intake.close(0));

/** What is dealt with once the test says so. */
function pending() {
  const waiting: { answer: (said: string) => void; fail: (error: Error) => void }[] = [];
  const deal = () =>
    new Promise<string>((answer, fail) => {
      waiting.push({ answer, fail });
    });
  return { waiting, deal };
}

const take = (deal: () => Promise<string>, place = 'node a') => intake.take({ place, deal });
const works = (run: string) => async () => run;
const fails = (error: Error) => () => Promise.reject(error);

test('what is dealt with at once is answered by that, and never written', async () => {
  const keep = jest.spyOn(shelf, 'keep');
  expect(await take(works('run 1'))).toBe('run 1');
  await take(works('run 2'), 'node b');
  expect(keep).not.toHaveBeenCalled();
});

test('what is dealt with in time is answered by that, and kept no longer', async () => {
  const { waiting, deal } = pending();
  const answer = take(deal);
  await until('it is kept', () => shelf.kept.size === 1);
  waiting[0]!.answer('run 1');
  expect(await answer).toBe('run 1');
  await until('it is kept no longer', () => shelf.kept.size === 0);
});

test('what takes longer is answered as kept, and is kept until it is dealt with', async () => {
  const { waiting, deal } = pending();
  expect(await take(deal)).toBe('kept');
  expect(shelf.kept.size).toBe(1);
  waiting[0]!.answer('run 1');
  await until('it is kept no longer', () => shelf.kept.size === 0);
});

test('in a storm who sends something does not wait for what becomes of it', async () => {
  const { waiting, deal } = pending();
  const first = Array.from({ length: 10 }, () => take(deal));
  expect(await take(deal)).toBe('kept');
  waiting.forEach(({ answer }) => answer('run 1'));
  expect(new Set(await Promise.all(first))).toEqual(new Set(['run 1']));
});

test('those of a place that is being dealt with are answered as its last one was, and handed over behind that', async () => {
  await take(works('run 1'));
  const { waiting, deal } = pending();
  expect(await take(deal)).toBe('run 1, joined');
  expect(await take(deal)).toBe('run 1, joined');
  await until('they are handed over', () => waiting.length === 2);
});

test('another place is asked for, and so is one of which nothing was heard for 2 s', async () => {
  await take(works('run 1'));
  expect(await take(works('run 2'), 'node b')).toBe('run 2');
  now = 2_001;
  expect(await take(works('run 3'))).toBe('run 3');
});

test('what is handed over is heard: the next answer is of the run that deals with the place now', async () => {
  await take(works('run 1'));
  expect(await take(works('run 2'))).toBe('run 1, joined');
  await until('it is heard', async () => (await take(works('run 2'))) === 'run 2, joined');
});

test('what fails for now is answered as kept, and is dealt with when it is due', async () => {
  let tries = 0;
  const deal = async () => {
    tries += 1;
    if (tries === 1) throw AWAY;
    return 'run 1';
  };
  expect(await take(deal)).toBe('kept');
  await until('it is dealt with', () => tries === 2);
  await until('it is kept no longer', () => shelf.kept.size === 0);
  expect(warned).toEqual([]);
});

test('what is refused in time is refused, and not kept; what is refused behind its answer is told', async () => {
  await expect(take(fails(REFUSED))).rejects.toBe(REFUSED);
  await until('it is not kept', () => shelf.kept.size === 0);
  await take(works('run 1'));
  expect(await take(fails(REFUSED))).toBe('run 1, joined');
  await until('it is told', () => warned.length === 1);
  expect(warned).toEqual([REFUSED]);
  expect(shelf.kept.size).toBe(0);
});

test('in a burst those that are dealt with at once are bounded; the others are safe and have their turn later', async () => {
  const { waiting, deal } = pending();
  await Promise.all(Array.from({ length: 600 }, () => take(deal)));
  expect(waiting).toHaveLength(500);
  expect(shelf.kept.size).toBe(600);
  const answerAll = () => waiting.splice(0).forEach(({ answer }) => answer('run 1'));
  await until('all are dealt with', () => {
    answerAll();
    return shelf.kept.size === 0;
  });
});

test('closing waits until all is dealt with, yet not for ever', async () => {
  const { waiting, deal } = pending();
  await take(deal);
  let closed = false;
  const closing = intake.close(60_000).then(() => (closed = true));
  expect(closed).toBe(false);
  waiting[0]!.answer('run 1');
  await closing;
  const other = open(shelf);
  await other.take({ place: 'node a', deal });
  await other.close(10);
});

describe.each([
  ['without an inbox', () => noInbox<Item>()],
  ['while the inbox is away', () => Object.assign(new Shelf(), { away: true })],
])('%s', (_, inbox) => {
  beforeEach(() => (intake = open(inbox())));

  test('whoever sends something waits until it is dealt with, also about a place that is', async () => {
    await take(works('run 1'));
    expect(await take(works('run 2'))).toBe('run 2');
  });

  test('what fails is to be sent again', async () => {
    await expect(take(fails(AWAY))).rejects.toBe(AWAY);
  });
});
