import { bucketsOf, movesOf, transfersOf } from '../../core/transfers';

const moves = [
  { bucket: 3, from: 'a', to: 'b', stamp: 7 },
  { bucket: 4, from: 'a', to: 'c', stamp: 7 },
  { bucket: 5, from: 'a', to: 'b', stamp: 8 },
];

it('moves are gathered by who gives and who receives, and told one by one again', () => {
  const transfers = transfersOf(moves);
  expect(transfers).toEqual([
    { from: 'a', to: 'b', buckets: [3, 5] },
    { from: 'a', to: 'c', buckets: [4] },
  ]);
  expect(bucketsOf(transfers)).toBe(3);
  expect(movesOf(transfers).toSorted((a, b) => a.bucket - b.bucket)).toEqual(
    moves.map(({ bucket, from, to }) => ({ bucket, from, to })),
  );
});

it('of no moves there are no transfers', () =>
  expect([transfersOf([]), movesOf([]), bucketsOf([])]).toEqual([[], [], 0]));
