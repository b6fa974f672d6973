import {
  allHandlersFinished,
  condition,
  continueAsNew,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities';
import { changesOf, type ReadinessChange, type ReadinessView } from '../core/readiness';
import { readinessPage, unreadyNotice } from '../core/readiness/page';
import type { WorldSeen } from '../core/readiness';
import * as messages from './messages';

/** What one evaluation found that people would be called for is looked at once more so much later, ms: a restart is no trouble. */
const AGAIN_MS = 20_000;
/** Until the first evaluation has said how often, ms. */
const FIRST_MS = 60_000;
/** Changes that could not be written so far; more are not kept. */
const UNWRITTEN = 500;

const { evaluateReadiness } = proxyActivities<Activities>({
  startToCloseTimeout: '10m',
  heartbeatTimeout: '10s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' },
});
/** What is told to others: what does not arrive is told again after the next evaluation. */
const { recordReadiness, tellUnready } = proxyActivities<Activities>({
  startToCloseTimeout: '10s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumAttempts: 3 },
});

/** What is carried from one evaluation, and one history, to the next. */
interface State {
  view?: ReadinessView;
  history?: WorldSeen['history'];
  /** Runbooks that people know to be not ready. */
  told: string[];
  /** Changes that the journal does not have yet. */
  unwritten: ReadinessChange[];
}

/**
 * Evaluates all the while whether the runbooks could be carried out (REQUIREMENTS M2), for ever, whichever worker lives.
 *
 * What holds between any two evaluations: a runbook that was seen not ready twice in a row was told to people once, and is told again
 * only after it was seen otherwise; each change of a verdict is in the journal, or waits to be written.
 */
export async function readiness(carried?: State): Promise<void> {
  const evaluator = new Evaluator({ told: [], unwritten: [], ...carried });
  await evaluator.run();
  await continueAsNew<typeof readiness>(evaluator.state);
}

class Evaluator {
  private asked = 0;
  private answered = 0;
  private closing = false;

  constructor(readonly state: State) {
    setHandler(messages.readiness, () => this.state.view ?? null, {
      description: 'How the runbooks stood when they were last evaluated.',
    });
    setHandler(messages.lookAgain, () => this.again(), { description: 'Evaluate all runbooks now.' });
  }

  async run(): Promise<void> {
    while (!workflowInfo().continueAsNewSuggested) {
      await this.evaluate();
      if (this.unready().length > 0) {
        await this.wait(AGAIN_MS);
        await this.evaluate();
        await this.tell();
      }
      await this.record();
      await this.wait(this.state.view?.everyMs ?? FIRST_MS);
    }
    this.closing = true;
    await condition(allHandlersFinished);
  }

  private async again(): Promise<ReadinessView> {
    this.asked += 1;
    const own = this.asked;
    await condition(() => this.answered >= own || this.closing);
    return this.state.view!;
  }

  /** Waits until it is time, or somebody asks. */
  private async wait(ms: number): Promise<void> {
    await condition(() => this.asked > this.answered, ms);
  }

  private async evaluate(): Promise<void> {
    const { state } = this;
    const { asked } = this; // who asks while it is looked gets the next look
    const { view, history } = await evaluateReadiness(state.history ? { history: state.history } : {});
    state.unwritten = [...state.unwritten, ...changesOf(state.view, view)].slice(-UNWRITTEN);
    state.view = view;
    if (history) state.history = history;
    const unready = new Set(notReadyIn(view));
    state.told = state.told.filter((runbook) => unready.has(runbook));
    setCurrentDetails(readinessPage(view));
    this.answered = asked;
  }

  /** Not ready, and nobody knows. */
  private unready(): string[] {
    return notReadyIn(this.state.view!).filter((runbook) => !this.state.told.includes(runbook));
  }

  private async tell(): Promise<void> {
    const news = this.unready();
    if (news.length === 0) return;
    const view = this.state.view!;
    try {
      await tellUnready({ ...unreadyNotice(view, news), key: `readiness/${view.at}` });
      this.state.told.push(...news);
    } catch {
      // Told after the next evaluation.
    }
  }

  private async record(): Promise<void> {
    const { unwritten } = this.state;
    if (unwritten.length === 0) return;
    try {
      await recordReadiness(unwritten);
      this.state.unwritten = [];
    } catch {
      // Written after the next evaluation.
    }
  }
}

function notReadyIn({ runbooks }: ReadinessView): string[] {
  return runbooks.flatMap(({ runbook, verdict }) => (verdict === 'not ready' ? [runbook] : []));
}
