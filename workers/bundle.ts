import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { bundleWorkflowCode, type WorkflowBundleOption } from '@temporalio/worker';
import { SwitchoverError } from '../core/errors';
import { runbookProblems } from '../core/runbook-schema';
import { describe } from '../core/schema';
import { catalogue } from '../operations';

/** Where the build leaves the workflow bundle. */
export const BUNDLE = path.join(__dirname, 'workflows.js');

/** The bundle every worker runs. @throws BAD_CONFIG where the project was not built. */
export function prebuilt(): WorkflowBundleOption {
  if (existsSync(BUNDLE)) return { codePath: BUNDLE };
  throw new SwitchoverError('BAD_CONFIG', `${BUNDLE} is missing: build the project first (npm run build)`);
}

/** Checks the catalogue and bundles the workflows with their interceptors. @throws BAD_CONFIG naming the runbook's field. */
export async function bundle(workflowsPath = path.join(__dirname, '..', 'workflows')): Promise<string> {
  for (const runbook of catalogue) {
    const found = runbookProblems(runbook);
    if (found.length > 0)
      throw new SwitchoverError('BAD_CONFIG', `runbooks/${runbook.id}.yaml: ${describe(found)}`);
  }
  const { code } = await bundleWorkflowCode({
    workflowsPath,
    workflowInterceptorModules: [path.join(workflowsPath, 'engine', 'interceptors')],
    preloadModules: [path.join(workflowsPath, 'engine', 'preload')],
    logger: {
      ...console,
      log() {},
      trace() {},
      debug() {},
      info() {},
      warn: console.error,
      error: console.error,
    },
  });
  return code;
}

if (require.main === module) {
  void bundle().then((code) => {
    mkdirSync(path.dirname(BUNDLE), { recursive: true });
    writeFileSync(BUNDLE, code);
  });
}
