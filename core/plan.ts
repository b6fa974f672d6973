import type { Change, Compared, Planned, RunReport, StepRecord } from './run';

type Result = 'would change' | 'done' | 'unchanged';

/** The changes of a run that is over, those of runs beneath it included, in their order. */
export function changesOf({ mode, steps }: Pick<RunReport, 'mode' | 'steps'>): Change[] {
  return changesIn(steps, mode === 'plan' ? 'would change' : 'done');
}

function changesIn(steps: readonly StepRecord[], state: Result, within = ''): Change[] {
  return steps.flatMap((step) => {
    const { title, kind, nested, sentence = title } = step;
    if (nested) return kind === 'undo' ? [] : changesIn(nested.steps, state, `${within}${title} › `);
    return kind === 'act' && step.state === state ? [{ step: `${within}${title}`, sentence }] : [];
  });
}

/** What a run made of its plan. Changes are the same where their steps are: what a plan says of them, a run says otherwise. */
export function compare({ plan, changes }: Planned, steps: readonly StepRecord[]): Compared {
  const notDone = [...changes];
  const notPredicted = ({ step }: Change): boolean => {
    const found = notDone.findIndex((one) => one.step === step);
    if (found >= 0) notDone.splice(found, 1);
    return found < 0;
  };
  const unplanned = changesIn(steps, 'done').filter(notPredicted);
  changesIn(steps, 'unchanged').forEach(notPredicted);
  return { plan, agreed: changes.length - notDone.length, unplanned, notDone };
}

/** What the steps of a plan come to, those of runs beneath included. */
export function planOf(steps: readonly StepRecord[]): NonNullable<RunReport['plan']> {
  const own = steps.filter(({ nested }) => !nested);
  const changing = own.filter(({ state }) => state === 'would change');
  const beneath = steps.flatMap(({ nested }) => nested?.plan ?? []);
  const sum = (count: (plan: NonNullable<RunReport['plan']>) => number) =>
    beneath.reduce((total, plan) => total + count(plan), 0);
  return {
    mutating: changing.length + sum(({ mutating }) => mutating),
    readOnly: own.length - changing.length + sum(({ readOnly }) => readOnly),
    changes: changesIn(steps, 'would change').map(({ sentence }) => sentence),
  };
}
