import { Agent, request } from 'undici';
import type { Opened } from '../../core/coordination';
import type { Operations } from '../../operations';
import { breakPart, type Sandbox } from '../../sandbox';

/** How long a run may take to be over, ms. */
const RUN_MS = 60_000;

/** Alertmanager keeps its connection open between two alerts. */
const alertmanager = new Agent({ keepAliveTimeout: 60_000 });

/** What one alert came to, ms. */
export interface AlertSample {
  /** From the sending of the alert to the first command that its run sent to HAProxy. */
  actedMs: number;
  /** From the sending of the alert to the webhook's answer. */
  answeredMs: number;
}

/**
 * Kills a node, sends the alert of it to the webhook at once, and waits until its run has healed the node.
 * @returns undefined where the monitor was first and the alert joined its run
 */
export async function alertOf(
  node: string,
  sandbox: Sandbox,
  operations: Operations,
): Promise<AlertSample | undefined> {
  await breakPart({ dir: sandbox.dir }, { kind: 'node', node }, 'kill');
  const sentAt = Date.now();
  const { run, joined } = await post(node, sandbox);
  const answeredMs = Date.now() - sentAt;
  const { steps, state, sentence } = await operations.wait(run, RUN_MS);
  if (state !== 'recovered') throw new Error(`${run} is ${state}: ${sentence}`);
  if (joined) return undefined;
  const first = steps.find(({ actedAt }) => actedAt !== undefined);
  if (!first?.actedAt) throw new Error(`${run} did nothing`);
  return { actedMs: Date.parse(first.actedAt) - sentAt, answeredMs };
}

/** One firing alert as Alertmanager 0.25 sends it. @throws Error unless it is answered with the run it led to */
async function post(node: string, { urls, tokens }: Sandbox): Promise<Opened> {
  const labels = { alertname: 'NodeDown', node };
  const startsAt = new Date().toISOString();
  const alert = {
    status: 'firing',
    labels,
    annotations: {},
    startsAt,
    fingerprint: `bench ${node} ${startsAt}`,
  };
  const { statusCode, body } = await request(new URL('/webhooks/alertmanager', urls.api), {
    method: 'POST',
    dispatcher: alertmanager,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${tokens.alertmanager}` },
    body: JSON.stringify({ version: '4', status: 'firing', receiver: 'bench', alerts: [alert] }),
  });
  const answer = (await body.json()) as Opened;
  if (!answer.run) throw new Error(`the webhook answered ${statusCode}: ${JSON.stringify(answer)}`);
  return answer;
}
