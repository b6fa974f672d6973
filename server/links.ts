import { startForm } from '../operations/templates';

/** Where to go on from a run or a runbook. */
export interface Links {
  run(run: string): { self: string; events: string; decisions: string; ui?: string };
  runbook(id: string): { self: string; start?: string };
}

/** @param ui the Temporal UI; without it there are no links into it. */
export function createLinks(namespace: string, environment: string, ui?: string): Links {
  const inUi = ui && `${ui.replace(/\/$/, '')}/namespaces/${encodeURIComponent(namespace)}/workflows`;
  return {
    run(run) {
      const self = `/api/v1/runs/${encodeURIComponent(run)}`;
      return {
        self,
        events: `${self}/events`,
        decisions: `${self}/decisions`,
        ...(inUi ? { ui: `${inUi}/${encodeURIComponent(run)}` } : {}),
      };
    },
    runbook(id) {
      return {
        self: `/api/v1/runbooks/${id}`,
        ...(inUi ? { start: `${inUi}/start-workflow?${startForm(environment, id).toString()}` } : {}),
      };
    },
  };
}
