import { join } from 'node:path';
import { stringify } from 'yaml';
import { nodesOf } from '../../core/topology';
import { get } from '../conditions';
import { TOKEN_VARIABLES } from '../environment';
import { balancerAddresses, indexOf, placesOf } from '../layout';
import { flags, tool } from '../tools';
import { nodesIn } from './nodes';
import type { Context, Part } from './part';

export const ALERTMANAGER = 'Alertmanager';

/** Sends every alert to Switchover's webhook, at once and one by one: grouping is the coordinator's work. */
export function alertmanager({ at, dir, secrets, settings }: Context): Part {
  const file = join(dir, 'alertmanager.yml');
  const webhook = {
    url: `http://${at.server}/webhooks/alertmanager`,
    send_resolved: true,
    http_config: { authorization: { type: 'Bearer', credentials: secrets[TOKEN_VARIABLES.alertmanager] } },
  };
  const route = {
    receiver: 'switchover',
    group_by: ['...'],
    group_wait: '0s',
    group_interval: '1s',
    repeat_interval: '1h',
  };
  const options = flags({
    'config.file': file,
    'storage.path': join(dir, 'alertmanager'),
    'web.listen-address': at.alertmanager,
    'cluster.listen-address': '',
    'log.level': 'warn',
  });
  const command = () => [tool('prometheus-alertmanager'), ...options];
  return {
    name: ALERTMANAGER,
    after: [],
    wanted: settings.monitoring,
    programs: [{ name: 'alertmanager', command, listens: [at.alertmanager] }],
    files: { [file]: stringify({ route, receivers: [{ name: 'switchover', webhook_configs: [webhook] }] }) },
    ready: () => get(`http://${at.alertmanager}/-/ready`),
  };
}

/** Scrapes nodes and load balancers every second. It starts after the nodes, else their start would be an alert. */
export function prometheus(context: Context): Part {
  const { at, dir, settings } = context;
  const file = join(dir, 'prometheus.yml');
  const rules = join(dir, 'alerts.yml');
  const options = flags({
    'config.file': file,
    'storage.tsdb.path': join(dir, 'prometheus'),
    'storage.tsdb.retention.time': '1d',
    'web.listen-address': at.prometheus,
    'log.level': 'warn',
  });
  const command = () => [tool('prometheus'), ...options];
  return {
    name: 'Prometheus',
    after: [ALERTMANAGER, ...serving(context).map(nodesIn)],
    wanted: settings.monitoring,
    programs: [{ name: 'prometheus', command, listens: [at.prometheus] }],
    files: { [file]: stringify(scraping(context, rules)), [rules]: stringify(ALERTS) },
    ready: () => get(`http://${at.prometheus}/-/ready`),
  };
}

const ALERTS = {
  groups: [
    {
      name: 'nodes',
      rules: [
        {
          alert: 'NodeDown',
          expr: 'up{job="mcp-nodes"} == 0',
          labels: { severity: 'critical' },
          annotations: { summary: 'MCP node {{ $labels.node }} does not answer' },
        },
      ],
    },
  ],
};

/** Regions whose nodes are to answer: one for disasters is none of them, whose silence is no alert. */
function serving({ settings }: Context): string[] {
  return placesOf(settings).flatMap(({ name, role }) => (role === 'active' ? [name] : []));
}

function scraping(context: Context, rules: string): object {
  const { at, config, settings } = context;
  const nodes = serving(context)
    .flatMap((name) => nodesOf(config, name))
    .filter(({ spare }) => !spare);
  return {
    global: { scrape_interval: '1s', scrape_timeout: '900ms', evaluation_interval: '1s' },
    rule_files: [rules],
    alerting: { alertmanagers: [{ static_configs: [{ targets: [at.alertmanager] }] }] },
    scrape_configs: [
      {
        job_name: 'mcp-nodes',
        static_configs: nodes.map(({ id, region, zone, address }) => ({
          targets: [address],
          labels: { node: id, region, zone },
        })),
      },
      {
        job_name: 'haproxy',
        static_configs: serving(context).map((name) => ({
          targets: [balancerAddresses(settings.block, indexOf(name)).metrics],
          labels: { region: name },
        })),
      },
    ],
  };
}
