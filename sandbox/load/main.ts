import { once } from 'node:events';
import { Command, InvalidArgumentError } from 'commander';
import ms from 'ms';
import type { StringValue } from 'ms';
import { startLoad } from './index';
import type { LoadReport } from './index';

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('It must be a number above 0.');
  return value;
}

const isTime = (text: string): text is StringValue => /^\d+(ms|s|m|h)$/.test(text);

function duration(text: string): number {
  if (!isTime(text)) throw new InvalidArgumentError('It must be a time such as 10s, 5m or 1h.');
  return ms(text);
}

function endpoint(text: string): string {
  if (!URL.canParse(text))
    throw new InvalidArgumentError('It must be a URL such as http://127.1.0.1:8080/mcp.');
  return text;
}

function describe(report: LoadReport): string {
  const why = Object.entries(report.failures).map(([failure, count]) => `${failure} ${count}`);
  return [
    `${report.calls} calls by ${report.clients} clients: ${report.ok} ok, ${report.failed} failed`,
    ...(why.length > 0 ? [`failures: ${why.join(', ')}`] : []),
    `sessions lost: ${report.sessionsLost}`,
    `latency: p50 ${report.p50} ms, p95 ${report.p95} ms, p99 ${report.p99} ms`,
    `longest time a client had no answer: ${report.maxGapMs} ms`,
  ].join('\n');
}

const program = new Command('load')
  .description('Calls MCP tools through a URL at a steady rate and reports what its clients saw.')
  .requiredOption('--url <url>', 'MCP endpoint, best that of a load balancer', endpoint)
  .option('--nameserver <address>', "host:port of the nameserver that knows the URL's host")
  .option('--clients <n>', 'clients, each with its own session', positive, 20)
  .option('--rate <n>', 'calls a second of each client', positive, 10)
  .option('--timeout <time>', 'time after which a call has failed', duration, 2_000)
  .option('--duration <time>', 'how long; without it until interrupted', duration)
  .option('--json', 'print the report as one JSON object')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .parse();

/** Exit codes: 0 every call succeeded and no session was lost, 1 otherwise, 2 bad arguments. */
async function main(): Promise<void> {
  const options = program.opts<{
    url: string;
    nameserver?: string;
    clients: number;
    rate: number;
    timeout: number;
    duration?: number;
    json?: true;
  }>();
  const load = startLoad({
    url: options.url,
    ...(options.nameserver ? { nameserver: options.nameserver } : {}),
    clients: options.clients,
    ratePerClient: options.rate,
    timeoutMs: options.timeout,
  });
  const ends = [once(process, 'SIGINT'), once(process, 'SIGTERM')];
  if (options.duration !== undefined) ends.push(once(AbortSignal.timeout(options.duration), 'abort'));
  await Promise.race(ends);
  const report = await load.stop();
  console.log(options.json ? JSON.stringify(report) : describe(report));
  process.exitCode = report.failed === 0 && report.sessionsLost === 0 ? 0 : 1;
}

void main();
