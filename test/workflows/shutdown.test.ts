import { Operations } from '../../operations';
import { Lab, hangs } from './lab';
import catalogue from './lab/catalogue';
import { timeSkipping } from './lab/servers';

/** More than a worker may take, far less than jest waits. */
const PATIENCE_MS = 20_000;

it(
  'A worker ends while runs tell the coordinator that they are over, though it can answer in no other worker',
  async () => {
    const lab = await Lab.open(timeSkipping);
    lab.otherwise = { 'act drain': hangs() };
    const operations = new Operations(lab.env.client, 'lab', catalogue);
    for (const node of ['us-east-1/a/n1', 'us-east-1/a/n2', 'us-east-1/a/n3'])
      await operations.start({ runbook: 'lab-undo', input: { node, lines: ['act drain'] }, by: 'grace' });
    await lab.close(); // releases the runs, and ends the worker in the same moment
  },
  PATIENCE_MS,
);
