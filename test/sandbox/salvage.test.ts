import { Log, forkOf, position } from '../../sandbox/salvage/log';

const FORK = '0/5000060';
const BEFORE = '0/5000028';
const AFTER = '0/50000A0';

interface Entry {
  manager?: string;
  id: number;
  lsn?: string;
  does: string;
}

const line = ({ manager = 'Heap', id, lsn = AFTER, does }: Entry): string =>
  `rmgr: ${manager.padEnd(11)} len (rec/tot):     59/    59, tx:        ${id}, lsn: ${lsn}, prev 0/05000000, desc: ${does}`;
const page = (block: number) => `blkref #0: rel 1663/5/16384 blk ${block}`;
const commit = (id: number, more: Partial<Entry> = {}): Entry => ({
  manager: 'Transaction',
  id,
  does: 'COMMIT 2026-11-22 01:50:12.345678 UTC',
  ...more,
});
const at = (block: number) => ({ tablespace: '1663', database: '5', file: '16384', block });

function read(...entries: Entry[]): Log['ended'] {
  const log = new Log(position(FORK));
  for (const entry of entries) log.read(line(entry));
  return log.ended;
}

describe('a log tells of transactions that were committed behind the fork', () => {
  it.each<[string, Entry[], Partial<Log['ended'][number]>[]]>([
    [
      'one that inserted',
      [{ id: 740, does: `INSERT off 5 flags 0x08, ${page(3)}` }, commit(740)],
      [{ ids: ['740'], committedAt: '2026-11-22 01:50:12.345678 UTC', pages: [at(3)], deleted: 0 }],
    ],
    [
      'in the words of later versions',
      [{ id: 740, does: `INSERT off: 5, flags: 0x08, ${page(3)}` }, commit(740)],
      [{ pages: [at(3)] }],
    ],
    [
      'one that updated within and across pages, and deleted',
      [
        { id: 741, does: `HOT_UPDATE off 1 xmax 741 flags 0x10 ; new off 9 xmax 0, ${page(0)}` },
        {
          id: 741,
          does: `UPDATE off 2 xmax 741 flags 0x00 ; new off 1 xmax 0, ${page(7)}, blkref #1: rel 1663/5/16384 blk 0`,
        },
        { id: 741, does: `DELETE off 3 flags 0x00 KEYS_UPDATED , ${page(0)}` },
        commit(741),
      ],
      [{ pages: [at(0), at(7)], deleted: 1 }],
    ],
    [
      'one that wrote before the fork and was committed behind it',
      [{ id: 742, lsn: BEFORE, does: `INSERT off 5 flags 0x00, ${page(1)}` }, commit(742)],
      [{ ids: ['742'] }],
    ],
    [
      'with what its subtransactions wrote',
      [
        { manager: 'Heap2', id: 744, does: `MULTI_INSERT 4 tuples flags 0x02, ${page(2)}` },
        commit(743, {
          does: 'COMMIT 2026-11-22 01:50:12.345678 UTC; subxacts: 744 745; inval msgs: catcache 55',
        }),
      ],
      [{ ids: ['743', '744', '745'], pages: [at(2)] }],
    ],
    [
      'not one that was committed before it',
      [{ id: 746, lsn: BEFORE, does: `INSERT off 5 flags 0x00, ${page(1)}` }, commit(746, { lsn: BEFORE })],
      [],
    ],
    [
      'not one that was aborted, or is not over',
      [
        { id: 747, does: `INSERT off 5 flags 0x00, ${page(1)}` },
        { manager: 'Transaction', id: 747, does: 'ABORT 2026-11-22 01:50:12.345678 UTC' },
        { id: 748, does: `INSERT off 6 flags 0x00, ${page(1)}` },
      ],
      [],
    ],
    ['not one that left nothing', [commit(749)], []],
  ])('%s', (_, entries, expected) =>
    expect(read(...entries)).toEqual(expected.map((one) => expect.objectContaining(one))),
  );
});

it('A history says where it left a timeline', () => {
  const history = `1\t0/5000060\tno recovery target specified\n\n2\t1/AB\tno recovery target specified\n`;
  expect([1, 2, 3].map((timeline) => forkOf(history, timeline))).toEqual([FORK, '1/AB', null]);
});

it('Positions are compared as numbers', () => {
  expect(position('1/0')).toBeGreaterThan(position('0/FFFFFFFF'));
});
