import { chooseEnvironment } from '../environment';

/** Runs the API server in this process until it is told to stop. */
export async function server(): Promise<void> {
  process.env['SWITCHOVER_CONFIG'] = await chooseEnvironment();
  await import('../../server/main.js');
}

/** Runs a worker in this process until it is told to stop; it reads `--region` from the command line itself. */
export async function worker(): Promise<void> {
  process.env['SWITCHOVER_CONFIG'] = await chooseEnvironment();
  const { main } = await import('../../workers/main.js');
  await main();
}
