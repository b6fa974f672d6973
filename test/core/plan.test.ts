import { changesOf, compare, planOf } from '../../core/plan';
import { timeline } from '../../core/report';
import type { Change, RunReport, StepRecord } from '../../core/run';
import { recovered } from '../cli/fixtures';

let id = 0;
const step = (title: string, over: Partial<StepRecord> = {}): StepRecord => ({
  id: (id += 1),
  title,
  kind: 'act',
  state: 'done',
  sentence: `${title} was done`,
  startedAt: '2026-11-21T03:12:05.000Z',
  attempts: 1,
  ...over,
});
const beneath = (title: string, steps: StepRecord[], over: Partial<StepRecord> = {}) =>
  step(title, { kind: 'run', nested: recovered({ steps }), ...over });

describe('the changes of a run', () => {
  it('are its acts that changed something, those of runs beneath it under the title of their step', () => {
    const steps = [
      step('Look', { kind: 'look' }),
      step('Lead clients', { sentence: 'us-east-1 40→0' }),
      step('Start it', { state: 'unchanged' }),
      step('Move it', { state: 'skipped' }),
      beneath('Move the database', [beneath('Deeper', [step('Fence d1')]), step('Bring d1 back')]),
      beneath('Give it back', [step('Hand over')], { kind: 'undo' }),
      step('Lead them back', { kind: 'undo' }),
    ];
    expect(changesOf({ mode: 'execute', steps })).toEqual([
      { step: 'Lead clients', sentence: 'us-east-1 40→0' },
      { step: 'Move the database › Deeper › Fence d1', sentence: 'Fence d1 was done' },
      { step: 'Move the database › Bring d1 back', sentence: 'Bring d1 back was done' },
    ]);
  });

  it('are predicted by a plan', () => {
    const steps = [
      step('Fence d1', { state: 'would change', sentence: 'would kill it' }),
      step('Look', { kind: 'look' }),
    ];
    expect(changesOf({ mode: 'plan', steps })).toEqual([{ step: 'Fence d1', sentence: 'would kill it' }]);
    expect(planOf(steps)).toEqual({ mutating: 1, readOnly: 1, changes: ['would kill it'] });
  });
});

const change = (name: string, said = 'said'): Change => ({ step: name, sentence: said });

it.each<{
  what: string;
  predicted: Change[];
  made: StepRecord[];
  agreed: number;
  unplanned: string[];
  notDone: string[];
}>([
  { what: 'nothing', predicted: [], made: [], agreed: 0, unplanned: [], notDone: [] },
  {
    what: 'the same, said otherwise',
    predicted: [change('a', 'would'), change('b', 'would')],
    made: [step('a'), step('b')],
    agreed: 2,
    unplanned: [],
    notDone: [],
  },
  {
    what: 'something else',
    predicted: [change('a')],
    made: [step('b')],
    agreed: 0,
    unplanned: ['b'],
    notDone: ['a'],
  },
  {
    what: 'what a try before has made',
    predicted: [change('a')],
    made: [step('a', { state: 'unchanged' }), step('b', { state: 'unchanged' })],
    agreed: 1,
    unplanned: [],
    notDone: [],
  },
  {
    what: 'what was given up',
    predicted: [change('a')],
    made: [step('a', { state: 'skipped' })],
    agreed: 0,
    unplanned: [],
    notDone: ['a'],
  },
  {
    what: 'the same once more than planned',
    predicted: [change('a')],
    made: [step('a'), step('a')],
    agreed: 1,
    unplanned: ['a'],
    notDone: [],
  },
  {
    what: 'the same once less than planned',
    predicted: [change('a'), change('a'), change('b')],
    made: [step('a')],
    agreed: 1,
    unplanned: [],
    notDone: ['a', 'b'],
  },
])('predicted against actual: $what', ({ predicted, made, agreed, unplanned, notDone }) => {
  const found = compare({ plan: 'run-1', changes: predicted }, made);
  expect({
    ...found,
    unplanned: found.unplanned.map((one) => one.step),
    notDone: found.notDone.map((one) => one.step),
  }).toEqual({
    plan: 'run-1',
    agreed,
    unplanned,
    notDone,
  });
});

it('where they differ the report lists how', () => {
  const compared: RunReport['compared'] = {
    plan: 'run-1',
    agreed: 2,
    unplanned: [change('Fence d1', 'killed')],
    notDone: [change('Hand over', 'would')],
  };
  expect(timeline(recovered({ compared }))).toContain(
    '**Predicted against actual** (run-1): 2 of 3 predicted changes were made, 1 others.\n\n' +
      '- not predicted: Fence d1: killed\n- predicted and not done: Hand over: would',
  );
});
