const Sequencer = require('@jest/test-sequencer').default;

/** The longest on real parts; the others of their folder come right after them. */
const LONGEST = [
  'stores/outage',
  'stores/database',
  'stores/backup',
  'stores/redis',
  'fleet',
  'stores/registry',
  'lb-failover',
  'cli',
  'stores/pgbench',
];

/** Files on real parts first, the longest of them before all, so that no long one is left alone at the end. */
class LongestFirst extends Sequencer {
  sort(tests) {
    const rank = ({ path }) => {
      const place = LONGEST.findIndex((one) => path.includes(`/test/e2e/${one}.`));
      if (place >= 0) return place;
      const folder = ['e2e', 'sandbox'].findIndex((one) => path.includes(`/test/${one}/`));
      return folder >= 0 ? LONGEST.length + folder : LONGEST.length + 2;
    };
    return super.sort(tests).sort((a, b) => rank(a) - rank(b));
  }
}

module.exports = LongestFirst;
