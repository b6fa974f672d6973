import { WELL, afterCheck, type WindowHealth, type WindowRule } from '../../core/window';

/** The rows of the health matrix (REQUIREMENTS H1). */
const SERVER: WindowRule = { of: 5, failures: 2, successes: 3 };
const SESSION: WindowRule = { of: 3, failures: 1, successes: 2 };
const REGISTRY: WindowRule = { of: 5, failures: 3, successes: 5 };

const at = (second: number) => `2026-11-21T12:00:0${second}.000Z`;

/** After these checks, `+` a good one and `-` a failed one, a second apart. */
const after = (checks: string, rule: WindowRule): WindowHealth =>
  checks
    .split('')
    .reduce<WindowHealth>(
      (now, check, i) => afterCheck(now, { ok: check === '+', at: at(i), said: `check ${i}` }, rule),
      WELL,
    );

it.each<[string, WindowRule, string, WindowHealth['state']]>([
  ['server', SERVER, '+++++', 'healthy'],
  ['server', SERVER, '-++++', 'healthy'],
  ['server', SERVER, '-+++-', 'failed'],
  ['server', SERVER, '-++++-', 'healthy'],
  ['server', SERVER, '--', 'failed'],
  ['server', SERVER, '--++', 'failed'],
  ['server', SERVER, '--++-+', 'healthy'],
  ['server', SERVER, '--+--+', 'failed'],
  ['session', SESSION, '-', 'failed'],
  ['session', SESSION, '-+', 'failed'],
  ['session', SESSION, '-++', 'healthy'],
  ['registry', REGISTRY, '--', 'healthy'],
  ['registry', REGISTRY, '-+-+-', 'failed'],
  ['registry', REGISTRY, '---++++', 'failed'],
  ['registry', REGISTRY, '---+++++', 'healthy'],
  ['registry', REGISTRY, '---++++-++++', 'failed'],
])('%s %j after %s is %s', (_, rule, checks, expected) => expect(after(checks, rule).state).toBe(expected));

it('the fault began with the first failed check that counts, and says what the last one said', () => {
  expect(after('+-+-', SERVER)).toEqual({ state: 'failed', recent: [], faultAt: at(1), cause: 'check 3' });
  expect(after('-+++++-', SERVER)).toMatchObject({ state: 'healthy', faultAt: at(6) });
});
