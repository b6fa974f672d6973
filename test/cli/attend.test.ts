import { attend } from '../../cli/attend';
import { follow, type Viewer } from '../../cli/follow';
import type { Session } from '../../cli/session';
import { SwitchoverError } from '../../core/errors';
import { OUTCOMES, isOver, type Outcome, type RunReport } from '../../core/run';
import type { Operations } from '../../operations';
import { RUN, needsAttention, recovered, running } from './fixtures';

/** Operations that answer with these, one after the other; an error is thrown where its turn comes. */
function answers(...turns: (RunReport | Error)[]): Operations {
  return {
    async *follow() {
      while (turns.length > 0) {
        const turn = turns.shift()!;
        if (turn instanceof Error) throw turn;
        yield turn;
        if (isOver(turn.state)) return;
      }
      throw new Error('asked for more than there is');
    },
  } as unknown as Operations;
}

const session = (operations: Operations): Session =>
  ({ operations, link: () => undefined }) as unknown as Session;

function seen(): Viewer & { lines: string[] } {
  const lines: string[] = [];
  return {
    lines,
    show: ({ state }) => void lines.push(state),
    trouble: (sentence) => void lines.push(`! ${sentence}`),
    end: () => undefined,
  };
}

let stdout: jest.SpyInstance;
beforeEach(() => (stdout = jest.spyOn(process.stdout, 'write').mockReturnValue(true)));
afterEach(() => stdout.mockRestore());

test.each(Object.entries(OUTCOMES) as [Outcome, number][])(
  'a run that is %s ends with status %i and prints its report alone',
  async (state, status) => {
    const report = recovered({ state });
    const operations = answers(running(), report);
    expect(await attend(session(operations), RUN, { json: true })).toBe(status);
    expect(JSON.parse(stdout.mock.calls.join(''))).toEqual(report);
  },
);

test('who only waits is told at once that a run needs attention', async () => {
  expect(await attend(session(answers(needsAttention())), RUN, {})).toBe(4);
});

test('who follows stays with a run that needs attention', async () => {
  const operations = answers(needsAttention(), recovered());
  expect(await attend(session(operations), RUN, { follow: true })).toBe(0);
});

test('a run that is not over in time is TIMED_OUT, with the report so far', async () => {
  const late = {
    async *follow() {
      yield running();
    },
  } as unknown as Operations;
  const error = await attend(session(late), RUN, { timeout: 50 }).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'TIMED_OUT', details: running() });
});

test('a Temporal server that is away for a time is waited for', async () => {
  const away = new SwitchoverError('TEMPORAL_UNREACHABLE', 'Temporal does not answer');
  const view = seen();
  const operations = answers(running(), away, away, recovered());
  const report = await follow(operations, RUN, {
    view,
    enough: () => false,
    signal: AbortSignal.timeout(20_000),
    retryMs: 1,
  });
  expect(report).toEqual(recovered());
  const trouble = '! Temporal does not answer; what is shown may be old, trying again';
  expect(view.lines).toEqual(['running', trouble, trouble, 'recovered']);
});

test('what trying again does not help against is thrown', async () => {
  const unknown = new SwitchoverError('UNKNOWN_RUN', 'there is no such run');
  const options = { view: seen(), enough: () => false, signal: AbortSignal.timeout(20_000) };
  await expect(follow(answers(unknown), RUN, options)).rejects.toBe(unknown);
});
