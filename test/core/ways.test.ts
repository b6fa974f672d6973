import { UNPROBED, afterProbe, figuresOf, wayInWords, type WayHealth } from '../../core/ways';

const rule = { of: 20, loss: 0.05, slowMs: 200 };

/** Probes one after the other: `.` is answered in 10 ms, `~` in 300 ms, `x` lost. */
const probed = (signs: string, from: WayHealth = UNPROBED): WayHealth =>
  signs
    .split('')
    .reduce((now, sign) => afterProbe(now, sign === 'x' ? null : sign === '~' ? 300 : 10, rule), from);

it.each<[state: WayHealth['state'], why: string, signs: string]>([
  ['healthy', 'nothing was lost', '....................'],
  ['healthy', 'one lost probe is none to speak of', 'x'],
  ['healthy', 'one of twenty is no more than the threshold', '..........x.........'],
  ['lossy', 'two of twenty are', 'x.........x.........'],
  ['lossy', 'the way is cut', '....................xx'],
  ['lossy', 'nothing ever came through', 'xx'],
  ['healthy', 'what was lost is out of the window', 'xx....................'],
  ['lossy', 'of what was lost enough is still in the window', 'xxx..................'],
  ['healthy', 'one slow answer of twenty is none to speak of', '...................~'],
  ['slow', 'two are', '..................~~'],
  ['lossy', 'who is lossy and slow is lossy', '~~~~x~~~x~~~~~~~~~~~'],
])('a way is %s: %s', (state, _, signs) => {
  expect(probed(signs).state).toBe(state);
});

it('no more probes are remembered than count', () => {
  expect(probed('.'.repeat(50)).recent).toHaveLength(20);
});

it.each([
  [[], '0 of 0 probes lost'],
  [[null, null], '2 of 2 probes lost'],
  [[4, null, 2, 3], '1 of 4 probes lost, p50 3 ms, p95 4 ms'],
  [Array.from({ length: 20 }, (_, i) => i + 1), '0 of 20 probes lost, p50 10 ms, p95 19 ms'],
])('%j in words', (recent, words) => {
  expect(wayInWords(figuresOf(recent))).toBe(words);
});
