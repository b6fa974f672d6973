import type { WorkflowInterceptors } from '@temporalio/workflow';

let title: string | undefined;

/** Names the step whose activities are scheduled from now on, for the timeline of the Temporal UI. */
export function summarize(step: string | undefined): void {
  title = step;
}

/** Shows the step's title beside each of its activities. */
export const interceptors = (): WorkflowInterceptors => ({
  outbound: [
    {
      scheduleActivity: (input, next) => next({ ...input, options: withSummary(input.options) }),
      scheduleLocalActivity: (input, next) => next({ ...input, options: withSummary(input.options) }),
    },
  ],
});

function withSummary<Options extends { summary?: string }>(options: Options): Options {
  return title === undefined || options.summary !== undefined
    ? options
    : { ...options, summary: title.slice(0, 200) };
}
