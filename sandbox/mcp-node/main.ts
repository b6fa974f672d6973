import { pino } from 'pino';
import { readConfig } from './config';
import { McpNode } from './node';

const log = pino({ base: { node: process.env['NODE_ID'] } });

/** Exit codes: 0 drained, 1 could not listen, 2 the environment is wrong. */
async function main(): Promise<void> {
  let node: McpNode;
  try {
    node = new McpNode(readConfig(process.env), log);
  } catch (error) {
    log.fatal(error);
    process.exit(2);
  }
  const stop = (): void => void node.drain().then(() => process.exit(0));
  process.once('SIGTERM', stop).once('SIGINT', stop);
  await node.start();
}

main().catch((err: unknown) => {
  log.fatal({ err }, `MCP node could not listen on ${process.env['LISTEN']}: stop what holds the address`);
  process.exit(1);
});
