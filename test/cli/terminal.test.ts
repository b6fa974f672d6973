import { Painting, type Out } from '../../cli/terminal';

/** A terminal of this size that remembers what was written to it. */
function terminal(columns: number, rows: number) {
  const written: string[] = [];
  const out = { columns, rows, write: (text: string) => written.push(text) };
  return { out: out as unknown as Out & { columns: number }, last: () => written.at(-1) };
}

const up = (rows: number) => `\x1b[${rows}A\r\x1b[J`;

test('a drawing takes the place of the one before', () => {
  const { out, last } = terminal(20, 10);
  const painting = new Painting(out);
  painting.draw(['one', 'two']);
  expect(last()).toBe('one\ntwo\n');
  painting.draw(['three']);
  expect(last()).toBe(`${up(2)}three\n`);
  painting.remove();
  expect(last()).toBe(`${up(1)}\x1b[?25h`);
});

test('lines that the terminal has broken since, being narrower now, are taken away whole', () => {
  const { out, last } = terminal(20, 10);
  const painting = new Painting(out);
  painting.draw(['a line of 18 chars', 'short', '']);
  out.columns = 10;
  painting.draw(['short']);
  expect(last()).toBe(`${up(4)}short\n`);
});

test('what does not fit is left out from the top, never from the bottom', () => {
  const { out, last } = terminal(10, 4);
  const painting = new Painting(out);
  painting.draw(['one', 'two', 'three', 'a command of 24 columns']);
  expect(last()).toBe('a command of 24 columns\n');
  painting.draw(['one', 'two', 'three', 'four']);
  expect(last()).toBe(`${up(3)}two\nthree\nfour\n`);
});

test('colours take no room', () => {
  const { out, last } = terminal(5, 10);
  const painting = new Painting(out);
  painting.draw(['\x1b[31mred\x1b[39m']);
  painting.draw([]);
  expect(last()).toBe(`${up(1)}\n`);
});
