/**
 * What a log of PostgreSQL tells of transactions whose end lies behind a fork: those that the other side of it never heard of.
 * Read are the lines of `pg_waldump`, versions 13 to 17.
 */

/** A page of a table that a transaction wrote to. */
export interface Page {
  /** Object ids. */
  tablespace: string;
  database: string;
  /** Of the file, which is not the table's own id. */
  file: string;
  block: number;
}

/** A transaction that ended behind the fork. */
export interface Ended {
  /** Those of its subtransactions included: each row names one of them. */
  ids: string[];
  /** As the log says it. */
  committedAt: string;
  pages: Page[];
  deleted: number;
}

const RECORD = /^rmgr: (\S+) .*? tx: +(\d+), lsn: ([0-9A-F]+\/[0-9A-F]+), .*?desc: (.*)$/;
const PAGE = /blkref #0: rel (\d+)\/(\d+)\/(\d+)(?: fork main)? blk (\d+)/;
/** Records of tables that leave a row behind. */
const WRITES = /^(INSERT|MULTI_INSERT|UPDATE|HOT_UPDATE)/;
const COMMIT = /^COMMIT(?:_PREPARED)? (?:\d+: )?([^;]*?)(?:;|$)/;
const ABORT = /^ABORT/;
const SUBTRANSACTIONS = /; subxacts: ([\d ]+)/;

/** Sorts the lines of a log, given in their order. */
export class Log {
  readonly ended: Ended[] = [];
  private readonly open = new Map<string, Pick<Ended, 'pages' | 'deleted'>>();

  /** @param fork position in the log, bytes; see {@link position} */
  constructor(private readonly fork: bigint) {}

  read(line: string): void {
    const [, manager, id = '0', lsn = '0/0', what = ''] = RECORD.exec(line) ?? [];
    if (id === '0') return;
    if (manager === 'Heap' || manager === 'Heap2') this.note(id, what);
    if (manager === 'Transaction') this.end(id, position(lsn), what);
  }

  private note(id: string, what: string): void {
    const own = this.open.get(id) ?? { pages: [], deleted: 0 };
    this.open.set(id, own);
    if (what.startsWith('DELETE')) own.deleted += 1;
    const [, tablespace, database, file, block] = (WRITES.test(what) && PAGE.exec(what)) || [];
    if (!tablespace || !database || !file) return;
    const page = { tablespace, database, file, block: Number(block) };
    if (!own.pages.some((known) => known.file === file && known.block === page.block)) own.pages.push(page);
  }

  private end(id: string, at: bigint, what: string): void {
    const [, committedAt] = COMMIT.exec(what) ?? [];
    if (committedAt === undefined && !ABORT.test(what)) return;
    const ids = [id, ...(SUBTRANSACTIONS.exec(what)?.[1]?.trim().split(' ') ?? [])];
    const parts = ids.flatMap((one) => this.open.get(one) ?? []);
    for (const one of ids) this.open.delete(one);
    if (committedAt === undefined || at < this.fork || parts.length === 0) return;
    const deleted = parts.reduce((sum, part) => sum + part.deleted, 0);
    this.ended.push({
      ids,
      committedAt: committedAt.trim(),
      pages: parts.flatMap(({ pages }) => pages),
      deleted,
    });
  }
}

/** `0/5000060` as bytes since the log began. */
export function position(lsn: string): bigint {
  const [high = '0', low = '0'] = lsn.split('/');
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}

/**
 * Where a history left a timeline, out of the file in which PostgreSQL keeps it (`00000003.history`): lines of timeline,
 * position and reason. Null where that timeline is not part of it.
 */
export function forkOf(history: string, timeline: number): string | null {
  for (const line of history.split('\n')) {
    const [own, lsn] = line.trim().split(/\s+/);
    if (Number(own) === timeline && lsn) return lsn;
  }
  return null;
}
