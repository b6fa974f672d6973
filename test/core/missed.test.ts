import { judge, note, noteRun, type Books, type Missed, type Seen } from '../../core/missed';

const at = (minute: number, second = 0) =>
  `2030-01-02T03:${String(minute).padStart(2, '0')}:${String(second).padStart(2, '0')}.000Z`;
const run = (minute: number, until?: number) => ({
  due: at(minute),
  from: at(minute),
  ...(until === undefined ? {} : { until: at(until) }),
});

/** Due every quarter of an hour; now it is a minute past the half hour, where nothing else is said. */
const seen = (more: Partial<Seen> = {}): Seen => ({
  name: 'backup',
  due: [at(0), at(15), at(30)],
  begun: [run(0, 1), run(15, 16), run(30)],
  ...more,
});
const RULE = { jitterMs: 0, overlap: 'skip', catchUpMs: 600_000 } as const;
const look = (what: Seen, { rule = {}, ...rest }: { rule?: object; now?: string; known?: string[] } = {}) =>
  judge(
    what,
    { ...RULE, ...rule },
    {
      since: '2030-01-02T02:50:00.000Z',
      known: rest.known ?? [],
      now: Date.parse(rest.now ?? at(31)),
    },
  );

describe('a run that was due', () => {
  test.each<[string, Seen, object, [number, string][], string]>([
    ['is not missed when it was begun', seen(), {}, [], at(30)],
    [
      'is missed at once while the schedule is paused, with the words of whoever paused it',
      seen({ begun: [run(0, 1)], paused: 'ada: disk full' }),
      {},
      [
        [15, 'paused'],
        [30, 'paused'],
      ],
      at(30),
    ],
    [
      'is missed when the one before it was still at work and nobody waits',
      seen({ begun: [run(0, 20), run(30)] }),
      {},
      [[15, 'overlap']],
      at(30),
    ],
    [
      'is not missed yet when it waits for the one before it',
      seen({ begun: [run(0, 20)] }),
      { rule: { overlap: 'buffer all', catchUpMs: 3_600_000 } },
      [],
      at(0),
    ],
    [
      'may still be begun within its catch-up window',
      seen({ begun: [run(0, 1), run(15, 16)] }),
      {},
      [],
      at(15),
    ],
    [
      'is missed once its catch-up window is over',
      seen({ begun: [run(0, 1), run(15, 16)] }),
      { now: at(41) },
      [[30, 'late']],
      at(30),
    ],
    [
      'that may still be begun does not keep a later one from being judged',
      seen({ begun: [run(0, 1), run(30, 31)] }),
      { rule: { catchUpMs: 3_600_000 } },
      [],
      at(0),
    ],
    [
      'is not told twice',
      seen({ begun: [], paused: 'x' }),
      { known: [at(0), at(15)] },
      [[30, 'paused']],
      at(30),
    ],
    [
      'is found where chance had it begin later',
      seen({ begun: [run(0, 1), { due: at(15, 50), from: at(15, 50) }, run(30)] }),
      { rule: { jitterMs: 60_000 } },
      [],
      at(30),
    ],
    [
      'a moment ago is not judged: what is begun comes to be seen later',
      seen({ begun: [run(0, 1), run(15, 16)], paused: 'x' }),
      { now: at(30, 5) },
      [],
      at(15),
    ],
  ])('%s', (_, what, how, missed, since) => {
    const verdict = look(what, how);
    expect(verdict.missed.map((one) => [one.at, one.kind])).toEqual(
      missed.map(([minute, kind]) => [at(minute), kind]),
    );
    expect(verdict.since).toBe(since);
  });

  it('says why it was missed', () => {
    const [paused] = look(seen({ begun: [], paused: 'ada: disk full' })).missed;
    expect(paused?.why).toBe('the schedule is paused: ada: disk full');
    const [late] = look(seen({ begun: [] }), { now: at(59) }).missed;
    expect(late?.why).toBe('it could not be begun within its catch-up window of 600 s');
  });
});

describe('people are told', () => {
  const one = (minute: number, kind: Missed['kind'] = 'paused'): Missed => ({
    schedule: 'backup',
    at: at(minute),
    kind,
    why: 'because',
  });

  it('of the first that is missed, and again once a run has been in between', () => {
    const books: Books = {};
    expect(note(books, [one(0), one(15)])).toEqual([one(0)]);
    expect(note(books, [one(30)])).toEqual([]);
    expect(note(books, [one(45, 'late')])).toEqual([one(45, 'late')]);
    noteRun(books, 'backup');
    expect(note(books, [one(50, 'late')])).toEqual([one(50, 'late')]);
    expect(books['backup']).toMatchObject({ count: 5 });
  });

  it('once of one that two have noticed', () => {
    const books: Books = {};
    expect(note(books, [one(0, 'refused')])).toHaveLength(1);
    expect(note(books, [one(0, 'late')])).toHaveLength(0);
    expect(books['backup']?.count).toBe(1);
  });

  it('and only the last ones are kept with their reasons, all are counted', () => {
    const books: Books = {};
    note(
      books,
      Array.from({ length: 50 }, (_, minute) => one(minute)),
    );
    expect(books['backup']).toMatchObject({ count: 50 });
    expect(books['backup']?.latest).toHaveLength(20);
    expect(books['backup']?.latest.at(-1)?.at).toBe(at(49));
  });
});
