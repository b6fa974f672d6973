import path from 'node:path';
import { bundleWorkflowCode, type WorkflowBundleOption } from '@temporalio/worker';
import { ROOT } from '../../../sandbox/tools';

/** The lab's catalogue in the place of the project's. */
const INSTEAD = { [path.join(ROOT, 'runbooks/catalogue.json')]: path.join(__dirname, 'catalogue.ts') };

const silent = { log() {}, trace() {}, debug() {}, info() {}, warn: console.error, error: console.error };

/** The lab's workflows on the real engine, with the lab's catalogue in the place of the project's. */
export async function labBundle(): Promise<WorkflowBundleOption> {
  return bundleWorkflowCode({
    workflowsPath: path.join(__dirname, 'workflows.ts'),
    workflowInterceptorModules: [path.join(ROOT, 'workflows/engine/interceptors')],
    logger: silent,
    webpackConfigHook: (config) => ({
      ...config,
      resolve: { ...config.resolve, alias: Object.assign({}, config.resolve?.alias, INSTEAD) },
    }),
  });
}
