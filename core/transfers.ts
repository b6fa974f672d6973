import type { BucketMove } from './placement';

/** Buckets that go from one node to another: moves, put so that a report is read and a history stays short. */
export interface Transfer {
  from: string;
  to: string;
  buckets: number[];
}

/** The moves, gathered by the nodes between which they are. */
export function transfersOf(moves: readonly BucketMove[]): Transfer[] {
  const found = new Map<string, Transfer>();
  for (const { from, to, bucket } of moves) {
    const transfer = found.get(`${from} ${to}`) ?? { from, to, buckets: [] };
    transfer.buckets.push(bucket);
    found.set(`${from} ${to}`, transfer);
  }
  return [...found.values()];
}

/** The moves one by one, whatever became of their buckets since they were seen. */
export function movesOf(transfers: readonly Transfer[]): BucketMove[] {
  return transfers.flatMap(({ from, to, buckets }) => buckets.map((bucket) => ({ bucket, from, to })));
}

/** How many buckets are to move. */
export function bucketsOf(transfers: readonly Transfer[]): number {
  return transfers.reduce((sum, { buckets }) => sum + buckets.length, 0);
}
