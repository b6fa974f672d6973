import { TASK_QUEUE } from '../../operations';
import { get } from '../conditions';
import { indexOf } from '../layout';
import { supervisorOf } from '../supervisor';
import { built } from '../tools';
import { JOURNAL } from './journal';
import { connectionEnvironment, type Context, type Part } from './part';
import { TEMPORAL, pollers } from './temporal';

const WORKER = 'workers/main.js';
const SERVER = 'server/main.js';

/** Name of the program that is a region's worker. */
export const workerIn = (region: string): string => `worker-${region}`;

/** A region's worker. The supervisor restarts it: nothing of ours could. */
export function worker(context: Context, region: string): Part {
  const name = workerIn(region);
  const program = {
    name,
    command: () => [process.execPath, '--enable-source-maps', built(WORKER), '--region', region],
    environment: connectionEnvironment(context),
    listens: [],
    restarts: true,
  };
  return {
    name: `Worker ${region}`,
    after: [TEMPORAL, JOURNAL],
    wanted: indexOf(region) < context.settings.workers,
    programs: [program],
    needsBuilt: WORKER,
    ready: () => polls(context, name),
  };
}

/** The server: API, webhooks, dashboard. */
export function server(context: Context): Part {
  const { at, settings } = context;
  const program = {
    name: 'server',
    command: () => [process.execPath, '--enable-source-maps', built(SERVER)],
    environment: connectionEnvironment(context),
    listens: [at.server],
    restarts: true,
  };
  return {
    name: 'Switchover server',
    after: [TEMPORAL, JOURNAL],
    wanted: settings.server,
    programs: [program],
    needsBuilt: SERVER,
    ready: () => get(`http://${at.server}/readyz`),
  };
}

/** A worker that was killed is still listed: only this very process counts. */
async function polls({ at, secrets }: Context, program: string): Promise<void> {
  const { pid } = await supervisorOf(at, secrets).info(program);
  const identities = await pollers(at, TASK_QUEUE);
  if (identities.some((identity) => identity.startsWith(`${pid}@`))) return;
  throw new Error(`${program} does not poll task queue ${TASK_QUEUE} yet`);
}
