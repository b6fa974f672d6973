import type { Client } from 'pg';
import type { Ended, Page } from './log';

/** A row that a member has, and what its successor has in its place. */
export interface SavedRow {
  database: string;
  table: string;
  /** As the member's log says it. */
  committedAt: string;
  /** Of the row, at the successor. */
  fate: 'missing' | 'same' | 'different';
  /** As JSON, in PostgreSQL's own words: no digit of a number is lost. */
  row: string;
  /** What is there in its place, where that is different. */
  there?: string;
}

/** One database on both sides. */
export interface Sides {
  /** At the member that was the primary. */
  here: Client;
  /** At its successor. */
  there: Client;
  database: string;
  /** The database's object id. */
  id: string;
}

interface Table {
  name: string;
  /** Columns of its primary key; none where it has none. */
  key: string[];
}

const TABLE = `
  SELECT c.oid::regclass::text AS name,
         ARRAY(SELECT quote_ident(attname) FROM pg_index
                 JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)
                WHERE indrelid = c.oid AND indisprimary) AS key
    FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
   WHERE c.oid = pg_filenode_relation($1, $2) AND relkind = 'r'
     AND nspname NOT IN ('pg_catalog', 'information_schema')`;

/** The rows that transactions left behind in this database, without those that a later one of theirs replaced or deleted. */
export async function savedRows(sides: Sides, ended: readonly Ended[]): Promise<SavedRow[]> {
  const committedAt = new Map(ended.flatMap((one) => one.ids.map((id) => [id, one.committedAt])));
  const pages = ended.flatMap((one) => one.pages).filter(({ database }) => database === sides.id);
  const saved: SavedRow[] = [];
  for (const file of new Set(pages.map((page) => page.file))) {
    const ofFile = pages.filter((page) => page.file === file);
    const { rows: tables } = await sides.here.query<Table>(TABLE, [ofFile[0]!.tablespace, file]);
    const [table] = tables;
    if (!table) continue; // of PostgreSQL's own
    const rows = await rowsOn(sides.here, table, { pages: ofFile, ids: [...committedAt.keys()] });
    const places = await inPlaceOf(
      sides.there,
      table,
      rows.map(({ row }) => row),
    );
    for (const [index, { id, row }] of rows.entries()) {
      const about = { database: sides.database, table: table.name, committedAt: committedAt.get(id)! };
      saved.push({ ...about, row, ...fateOf(row, places[index] ?? null) });
    }
  }
  return saved;
}

/** Rows on these pages that these transactions wrote, each once, in the order of their places. */
async function rowsOn(
  here: Client,
  { name }: Table,
  { pages, ids }: { pages: readonly Page[]; ids: readonly string[] },
): Promise<{ id: string; row: string }[]> {
  const rows: { id: string; row: string }[] = [];
  for (const block of new Set(pages.map((page) => page.block))) {
    const found = await here.query<{ id: string; row: string }>(
      `SELECT xmin::text AS id, to_jsonb(t)::text AS row FROM ${name} t
        WHERE ctid >= $1::tid AND ctid < $2::tid AND xmin::text = ANY ($3) ORDER BY ctid`,
      [`(${block},0)`, `(${block + 1},0)`, ids],
    );
    rows.push(...found.rows);
  }
  return rows;
}

/** What the successor has in place of each: the row of the same key, or, where a table has none, the very same row. */
async function inPlaceOf(
  there: Client,
  { name, key }: Table,
  rows: readonly string[],
): Promise<(string | null)[]> {
  const known = await there.query<{ oid: string | null }>('SELECT to_regclass($1) AS oid', [name]);
  if (known.rows[0]!.oid === null) return rows.map(() => null); // it was made behind the fork
  const same =
    key.length > 0 ? key.map((column) => `t.${column} = r.${column}`).join(' AND ') : 'to_jsonb(t) = w.row';
  const { rows: found } = await there.query<{ place: string | null }>(
    `SELECT (SELECT to_jsonb(t)::text FROM ${name} t WHERE ${same} LIMIT 1) AS place
       FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS w (row, number),
            jsonb_populate_record(NULL::${name}, w.row) AS r
      ORDER BY number`,
    [`[${rows.join(',')}]`],
  );
  return found.map(({ place }) => place);
}

/** Equal rows are equal words: PostgreSQL has one order for the fields of a row. */
function fateOf(row: string, there: string | null): Pick<SavedRow, 'fate' | 'there'> {
  if (there === null) return { fate: 'missing' };
  return row === there ? { fate: 'same' } : { fate: 'different', there };
}

/** A row as a line of JSON. */
export function lineOf({ row, there, ...about }: SavedRow): string {
  const instead = there === undefined ? '' : `,"there":${there}`;
  return `${JSON.stringify(about).slice(0, -1)},"row":${row}${instead}}\n`;
}
