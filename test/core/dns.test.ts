import { array, assert, constantFrom, dictionary, integer, property, record, uniqueArray } from 'fast-check';
import {
  inWords,
  judgeAnswers,
  mayAnswer,
  weightChanges,
  weightProblems,
  weightsInWords,
  weightsOf,
  withWeights,
  type DnsView,
  type ServerAnswers,
} from '../../core/dns';

const REGIONS = ['us-east-1', 'eu-central-1', 'ap-southeast-1'];

const viewOf = (...weights: number[]): DnsView => ({
  name: 'fleet.mcp.test.',
  ttlS: 30,
  records: weights.map((weight, n) => ({ region: REGIONS[n]!, weight, addresses: [`127.${n}.0.1`] })),
});

const weight = integer({ min: 0, max: 255 });
const anyView = uniqueArray(record({ region: constantFrom(...REGIONS, 'sa-east-1'), weight }), {
  selector: ({ region }) => region,
  minLength: 1,
}).map((records): DnsView => ({
  name: 'fleet.mcp.test.',
  ttlS: 30,
  records: records.map((one, n) => ({ ...one, addresses: [`127.${n}.0.1`] })),
}));
const anyWeights = dictionary(constantFrom(...REGIONS), weight);

describe('a change of weights', () => {
  it('is told region by region, in the order of the record sets', () => {
    const changes = weightChanges(viewOf(40, 35, 25), {
      'eu-central-1': 70,
      'us-east-1': 0,
      'ap-southeast-1': 25,
    });
    expect(inWords(changes)).toBe('us-east-1 40→0, eu-central-1 35→70');
    expect(weightsInWords(viewOf(40, 35))).toBe('us-east-1 40, eu-central-1 35');
  });

  it('once made is none any more, and leaves who was not named alone', () =>
    assert(
      property(anyView, anyWeights, (view, wanted) => {
        const after = withWeights(view, wanted);
        expect(weightChanges(after, wanted)).toEqual([]);
        for (const { region, to } of weightChanges(view, wanted)) expect(weightsOf(after)[region]).toBe(to);
        for (const { region, weight: before } of view.records)
          if (wanted[region] === undefined) expect(weightsOf(after)[region]).toBe(before);
        expect(weightChanges(after, weightsOf(view))).toHaveLength(weightChanges(view, wanted).length);
      }),
    ));

  it('is refused by name wherever Route 53 would refuse it, or nobody would be answered', () =>
    assert(
      property(
        anyView,
        dictionary(constantFrom(...REGIONS), integer({ min: -2, max: 300 })),
        (view, wanted) => {
          const known = Object.keys(weightsOf(view));
          const fits = Object.entries(wanted).every(
            ([region, to]) => known.includes(region) && to >= 0 && to <= 255,
          );
          const problems = weightProblems(view, wanted);
          const someone = withWeights(view, wanted).records.some((one) => one.weight > 0);
          expect(problems.length === 0).toBe(fits && someone);
          for (const region of Object.keys(wanted))
            if (!known.includes(region)) expect(problems.join()).toContain(`no record set for "${region}"`);
        },
      ),
    ));

  it.each<[string, DnsView, Record<string, number>, string]>([
    ['half a weight', viewOf(40, 35), { 'us-east-1': 0.5 }, 'must be a whole number from 0 to 255, not 0.5'],
    ['no number', viewOf(40, 35), { 'us-east-1': NaN }, 'must be a whole number'],
    [
      'two sets of one region',
      { ...viewOf(40), records: [...viewOf(40).records, ...viewOf(35).records] },
      {},
      'fleet.mcp.test. has several record sets for us-east-1',
    ],
    [
      'all at 0',
      viewOf(40, 0),
      { 'us-east-1': 0 },
      'no region of fleet.mcp.test. would have a weight above 0',
    ],
    ['a name without record sets', viewOf(), { 'us-east-1': 1 }, 'there are none'],
  ])('%s', (_, view, wanted, message) => expect(weightProblems(view, wanted).join()).toContain(message));
});

describe('what is answered', () => {
  const answers = (server: string, addresses: Record<string, number>): ServerAnswers => ({
    server,
    asked: 20,
    addresses,
    ...(Object.keys(addresses).length > 0 ? { ttlS: 60 } : {}),
    said: Object.keys(addresses).length > 0 ? '20 of 20 answered' : 'no answer within 1000 ms',
  });
  const view = viewOf(0, 70, 30);

  it('is right where every nameserver names only regions above 0', () => {
    const seen = [answers('a:53', { '127.1.0.1': 14, '127.2.0.1': 6 }), answers('b:53', { '127.1.0.1': 20 })];
    expect(judgeAnswers(view, seen)).toEqual({
      ok: true,
      wrong: false,
      said: 'all 2 nameservers answer fleet.mcp.test. with eu-central-1 (34 times), ap-southeast-1 (6 times) and nothing else',
      regions: { 'eu-central-1': 34, 'ap-southeast-1': 6 },
      ttlS: 60,
    });
  });

  it.each<[string, ServerAnswers[], boolean, string]>([
    [
      'a region of weight 0',
      [answers('a:53', { '127.0.0.1': 1, '127.1.0.1': 19 })],
      true,
      'a:53 answers us-east-1 (once)',
    ],
    ['an address of nobody', [answers('a:53', { '10.0.0.1': 20 })], true, 'a:53 answers 10.0.0.1 (20 times)'],
    [
      'silence',
      [answers('a:53', { '127.1.0.1': 20 }), answers('b:53', {})],
      false,
      'b:53 does not answer (no answer within 1000 ms)',
    ],
    ['no nameserver', [], false, ''],
  ])('%s is not right', (_, seen, wrong, said) =>
    expect(judgeAnswers(view, seen)).toMatchObject({ ok: false, wrong, said }),
  );

  it('is right exactly where all that was named has a weight', () =>
    assert(
      property(anyView, array(integer({ min: 0, max: 5 }), { minLength: 1 }), (any, named) => {
        const seen = answers('a:53', Object.fromEntries(named.map((n) => [`127.${n}.0.1`, 1])));
        const right = named.every((n) => mayAnswer(any).includes(any.records[n]?.region ?? ''));
        expect(judgeAnswers(any, [seen])).toMatchObject({ ok: right, wrong: !right });
      }),
    ));
});
