import { createHash } from 'node:crypto';
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { RunRequest } from '../core/run';
import { workflowType, type Runbook } from '../core/runbook';
import { TASK_QUEUE } from '../workflows/messages';

/**
 * Templates: what the Temporal UI fills its start form from. The UI knows no runbooks; it copies input, summary and
 * details of a workflow that is there. So every runbook has one that sleeps: asked to plan its example, and delayed for so
 * long that it never does. Being open it outlives the namespace's retention, and having no search attributes it is in no
 * list of runs and gives none to the run that is made like it.
 *
 * The trap: summary and details are copied too, so they have to be true of the run that somebody starts.
 */

/** A template that did wake would plan and touch nothing; the next worker to start would put another in its place. */
const SLEEP = '3650 days';

/** Workflow id of a runbook's template. */
export function templateId(environment: string, runbook: string): string {
  return `template-${environment}-${runbook}`;
}

/** What `…/workflows/start-workflow?` of the Temporal UI needs to open filled in from a runbook's template. */
export function startForm(environment: string, runbook: string): URLSearchParams {
  return new URLSearchParams({
    workflowId: templateId(environment, runbook),
    taskQueue: TASK_QUEUE,
    workflowType: workflowType(runbook),
  });
}

/**
 * Sees to it that every runbook has its template, as the catalogue is now: makes those that are missing and replaces those
 * of another catalogue. Any number of workers may do so at once.
 */
export async function keepTemplates(
  client: Client,
  environment: string,
  catalogue: readonly Runbook[],
): Promise<void> {
  await Promise.all(catalogue.map((runbook) => keepTemplate(client, environment, runbook)));
}

async function keepTemplate(client: Client, environment: string, runbook: Runbook): Promise<void> {
  const workflowId = templateId(environment, runbook.id);
  const content = {
    args: [exampleRequest(runbook)],
    staticSummary: `${runbook.title}, started from the Temporal UI`.slice(0, 200),
    staticDetails: howToFillIn(runbook),
  };
  const version = createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 16);
  await retire(client, workflowId, version);
  await client.workflow.start(workflowType(runbook.id), {
    ...content,
    workflowId,
    taskQueue: TASK_QUEUE,
    startDelay: SLEEP,
    workflowIdConflictPolicy: 'USE_EXISTING',
    memo: { version },
  });
}

/** Ends a template of another version, that one run and no other: a newer one may have its name by now. */
async function retire(client: Client, workflowId: string, version: string): Promise<void> {
  try {
    const { runId, status, memo } = await client.workflow.getHandle(workflowId).describe();
    if (status.name !== 'RUNNING' || memo?.['version'] === version) return;
    await client.workflow.getHandle(workflowId, runId).terminate('replaced: the runbook has changed');
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}

/** All fields of a request, with values that are true and harmless where nobody changes them. */
function exampleRequest({ example }: Runbook): RunRequest {
  return { input: example, mode: 'plan', by: 'somebody in the Temporal UI', reason: 'not given' };
}

/** Help for the form: Markdown, in lines that fit its editor, which shows 75 characters. */
function howToFillIn({ what, input, approvals: { unknown } }: Runbook): string {
  const { properties = {}, required = [] } = input as {
    properties?: Record<string, { description?: string }>;
    required?: string[];
  };
  const fields = Object.entries(properties).map(
    ([name, { description }]) =>
      `- \`input.${name}\`${required.includes(name) ? '' : ' (optional)'}: ${description ?? 'see the runbook'}`,
  );
  return [
    ...fields,
    '- `mode`: `plan` touches nothing and says what would change; `execute` acts',
    ...(unknown
      ? [`- \`execute\` waits ${unknown.timeout} for ${unknown.quorum} update(s) \`approve\``]
      : []),
    '- `by`, `reason`: who you are and why; kept in the report',
    '',
    what.trim(),
  ].join('\n');
}
