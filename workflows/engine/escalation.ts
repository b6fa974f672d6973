import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import type { EscalationLevel } from '../../core/config';
import { millis } from '../../core/time';
import { timeline } from '../../core/report';
import { call } from '../proxies';
import type { Ledger } from './ledger';
import type { Operator } from './operator';
import { causeOf } from './outcome';

/**
 * Calls people rung by rung (REQUIREMENTS M5): the first at once, the next when the time of its rung has passed without
 * an acknowledgement, and from the top again after the last. Ends when somebody acknowledges or the scope is cancelled.
 * A message that cannot be delivered is recorded and does not stop the next.
 */
export async function callPeople(
  ledger: Ledger,
  operator: Operator,
  ladder: readonly EscalationLevel[],
): Promise<void> {
  try {
    for (let rung = 0; ; rung += 1) {
      const level = ladder[rung % ladder.length]!;
      if (rung > 0 && (await condition(() => operator.acknowledged, millis(level.after)))) return;
      await callOne(ledger, level, rung);
    }
  } catch (error) {
    if (!isCancellation(error)) throw error;
  }
}

async function callOne(ledger: Ledger, { to, webhook }: EscalationLevel, rung: number): Promise<void> {
  const { report } = ledger;
  const step = ledger.open(`Call ${to}`, 'escalate');
  const notice = {
    to,
    webhook,
    run: report.run,
    subject: `${report.runbook} on ${report.scope} needs attention`,
    body: timeline(report),
  };
  try {
    await call.notifyPeople({ notice, key: `${report.run}/${step.id}/${rung}` });
    ledger.close(step, 'done', { sentence: `${to} was called` });
  } catch (error) {
    if (CancellationScope.current().consideredCancelled) {
      ledger.close(step, 'skipped', { sentence: `${to} was not called: the question is answered` });
      throw error;
    }
    ledger.close(step, 'failed', { sentence: `${to} could not be called: ${causeOf(error).sentence}` });
  }
}
