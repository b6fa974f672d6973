import path from 'node:path';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { ROOT, tool } from '../../../sandbox/tools';
import { attributes } from '../../../workflows/attributes';

/** Temporal's number for the search attribute type Keyword. */
const KEYWORD = 2;

/** Temporal's test server, which skips time while a test waits for a result. */
export async function timeSkipping(): Promise<TestWorkflowEnvironment> {
  const env = await TestWorkflowEnvironment.createTimeSkipping({
    server: {
      executable: {
        type: 'existing-path',
        path: path.join(ROOT, '.switchover/venv/bin/temporal-test-server'),
      },
    },
  });
  await env.connection.operatorService.addSearchAttributes({
    namespace: 'default',
    searchAttributes: Object.fromEntries(Object.values(attributes).map(({ name }) => [name, KEYWORD])),
  });
  return env;
}

/**
 * Temporal's own development server, in memory, for what the test server does not do; time takes its time there.
 * @param settings of its dynamic configuration, `name=value`
 */
export async function development(...settings: string[]): Promise<TestWorkflowEnvironment> {
  return TestWorkflowEnvironment.createLocal({
    server: {
      executable: { type: 'existing-path', path: tool('temporal') },
      ip: '127.0.0.1',
      log: { format: 'json', level: 'never' },
      searchAttributes: Object.values(attributes),
      extraArgs: settings.flatMap((setting) => ['--dynamic-config-value', setting]),
    },
  });
}
