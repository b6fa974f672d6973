import { join } from 'node:path';
import { TASK_QUEUE } from '../../workflows/messages';
import { get } from '../conditions';
import type { SharedAddresses } from '../layout';
import { flags, tool } from '../tools';
import type { Context, Part } from './part';

export const TEMPORAL = 'Temporal';

/** Custom search attributes of runs, all of type Keyword (DESIGN section 3). */
const SEARCH_ATTRIBUTES = ['Runbook', 'Scope', 'Region', 'Severity', 'RunState', 'Mode', 'Incident'];

/** Made for a server on one machine: the defaults poll so rarely that a hop takes 50 ms and a timer a whole second. */
const DYNAMIC_CONFIG = [
  'history.transferProcessorMaxPollRPS=200',
  'history.timerProcessorMaxPollRPS=200',
  'history.timerProcessorMaxTimeShift="50ms"',
  'limit.numPendingActivities.error=10000',
];

/** Temporal's development server with its UI, on a SQLite file that outlives it. */
export function temporal({ at, dir }: Context): Part {
  const [host = '', port = ''] = at.temporal.split(':');
  const options = flags({
    namespace: 'default',
    ip: host,
    port,
    'http-port': portOf(at.temporalHttp),
    'ui-port': portOf(at.temporalUi),
    'ui-disable-news-fetch': true,
    'log-level': 'error',
    'disable-config-file': true,
    'db-filename': join(dir, 'temporal.db'),
    'sqlite-pragma': ['journal_mode=wal', 'synchronous=1'],
    'dynamic-config-value': DYNAMIC_CONFIG,
    'search-attribute': SEARCH_ATTRIBUTES.map((name) => `${name}=Keyword`),
  });
  const command = () => [tool('temporal'), 'server', 'start-dev', ...options];
  return {
    name: TEMPORAL,
    after: [],
    programs: [{ name: 'temporal', command, listens: [at.temporal, at.temporalHttp, at.temporalUi] }],
    ready: () => pollers(at, TASK_QUEUE),
  };
}

/**
 * The identities of the workers that lately polled a queue for activities. Temporal remembers them for minutes.
 * @throws Error while the server does not serve
 */
export async function pollers(at: SharedAddresses, queue: string): Promise<string[]> {
  const path = `api/v1/namespaces/default/task-queues/${queue}?taskQueueType=TASK_QUEUE_TYPE_ACTIVITY`;
  const answer = JSON.parse(await get(`http://${at.temporalHttp}/${path}`)) as {
    pollers?: { identity: string }[];
  };
  return (answer.pollers ?? []).map(({ identity }) => identity);
}

function portOf(address: string): string {
  return address.slice(address.indexOf(':') + 1);
}
