import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { prometheus } from '../../../activities/adapters/prometheus';
import { tool } from '../../../sandbox/tools';
import { startBackend, type TestBackend } from '../../harness/haproxy';
import { startProcess, type TestProcess } from '../../harness/process';
import { until } from '../../harness/until';

/** A real Prometheus that scrapes two nodes which answer ten calls a scrape, one of which fails at the second node. */
const ADDRESS = '127.130.7.1:9090';
const NODES = { 'us-east-1/a/n1': '127.130.7.2:8080', 'us-east-1/a/n2': '127.130.7.3:8080' };
const [well, sick] = Object.keys(NODES) as [string, string];
const metrics = prometheus({ url: `http://${ADDRESS}`, window: '5s' });

let dir: string;
let process: TestProcess;
let nodes: TestBackend[];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'prometheus-'));
  nodes = await Promise.all(
    Object.entries(NODES).map(([id, address]) => exporter(address, id === sick ? 1 : 0)),
  );
  const targets = Object.entries(NODES).map(([node, address]) => ({ targets: [address], labels: { node } }));
  const scraping = [
    { job_name: 'mcp-nodes', scrape_interval: '500ms', scrape_timeout: '400ms', static_configs: targets },
  ];
  await writeFile(join(dir, 'prometheus.yml'), stringify({ scrape_configs: scraping }));
  process = startProcess(tool('prometheus'), [
    `--config.file=${join(dir, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(dir, 'data')}`,
    `--web.listen-address=${ADDRESS}`,
  ]);
  await until('both were scraped twice', async () => {
    const seen = await Promise.all([well, sick].map((node) => metrics.service([node])));
    return seen.every(({ perS }) => perS > 0);
  });
});

afterAll(async () => {
  await process?.kill();
  await Promise.all((nodes ?? []).map((node) => node.stop()));
  await rm(dir, { recursive: true });
});

/** What a node exports: ten calls more at each scrape, of 20 ms each, and so many of them failed. */
function exporter(address: string, failing: number): Promise<TestBackend> {
  let scrapes = 0;
  return startBackend(address, (_, response) => {
    scrapes += 1;
    const calls = scrapes * 10;
    const lines = [
      `mcp_requests_total{method="POST",status="200"} ${calls}`,
      `mcp_errors_total ${scrapes * failing}`,
      `mcp_request_duration_seconds_bucket{le="0.01"} 0`,
      `mcp_request_duration_seconds_bucket{le="0.025"} ${calls}`,
      `mcp_request_duration_seconds_bucket{le="+Inf"} ${calls}`,
    ];
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(`${lines.join('\n')}\n`);
  });
}

it('tells the share of failed calls and the latency of nodes', async () => {
  const [one, other] = await Promise.all([metrics.service([well]), metrics.service([sick])]);
  expect(one.errors).toBe(0);
  expect(other.errors).toBeCloseTo(0.1, 2);
  expect(one.p99Ms).toBeGreaterThan(10);
  expect(one.p99Ms).toBeLessThanOrEqual(25);
});

it('of nodes together', async () => {
  // Each node is scraped at moments of its own, so the rates do not weigh exactly the same.
  const { errors } = await metrics.service([well, sick]);
  expect(errors).toBeGreaterThan(0.03);
  expect(errors).toBeLessThan(0.07);
});

it.each([[['us-east-1/b/n1']], [['us-east-1.a.n1']], [[]]])('knows nothing of %j', async (others) => {
  expect(await metrics.service(others)).toEqual({ perS: 0, errors: null, p99Ms: null });
});

it('one that is away is named', async () => {
  const away = prometheus({ url: 'http://127.130.7.9:9090', window: '5s' });
  await expect(away.service([well])).rejects.toMatchObject({
    code: 'METRICS_UNREACHABLE',
    message: expect.stringMatching(
      /^Prometheus http:\/\/127\.130\.7\.9:9090 on "[^"]+.*: connection refused$/,
    ),
  });
});

it('a question that it refuses is told in its own words', async () => {
  const wrong = prometheus({ url: `http://${ADDRESS}`, window: 'five' });
  await expect(wrong.service([well])).rejects.toMatchObject({
    code: 'METRICS_UNREACHABLE',
    message: expect.stringContaining('HTTP 400'),
  });
});
