import { elapsed } from '../../core/report';
import type { Sandbox, SandboxStatus, SandboxUrls } from '../../sandbox';
import type { Look } from './look';
import { columns } from './tables';
import { pad } from './text';

const LABEL = 16;
/** From this width on there is room for all addresses of a process, not only its first. */
const ROOMY = 110;

/** A sandbox that is up: where to look, and what to try next. */
export function upPage({ configPath, temporalAddress, urls }: Sandbox, { colors }: Look): string[] {
  return [
    '',
    ...links(urls, colors.dim),
    `${colors.dim(pad('temporal', LABEL))}${temporalAddress}`,
    `${colors.dim(pad('environment', LABEL))}${configPath}`,
    '',
    colors.dim('break a node and watch it being healed:'),
    `  ${colors.bold('./switchover sandbox break us-east-1/a/n1 kill')}`,
    `  ${colors.bold('./switchover run node-failover --set node=us-east-1/a/n1 --follow')}`,
  ];
}

/** What runs of a sandbox, a process a line; spares that wait are left out. */
export function sandboxPage({ dir, state, parts, urls, orphans }: SandboxStatus, look: Look): string[] {
  const { colors } = look;
  const paint = state === 'up' ? colors.green : state === 'down' ? colors.dim : colors.red;
  const head = `${colors.bold('sandbox')} ${paint(state)}  ${colors.dim(dir)}`;
  if (state === 'down') return [head, '  start it with: ./switchover sandbox up'];
  const left =
    orphans > 0 ? [`  ${orphans} processes were left behind; ./switchover sandbox up repairs it`] : [];
  const rows = parts
    .filter((part) => part.state !== 'standby')
    .map((part) => [
      part.state === 'running' ? colors.green('✓') : colors.red('✗'),
      part.program,
      part.state,
      part.pid > 0 ? `pid ${part.pid}` : '',
      part.pid > 0 ? elapsed(part.uptimeMs) : '',
      part.note ?? '',
      (look.width < ROOMY ? part.addresses.slice(0, 1) : part.addresses).join(' '),
    ]);
  return [
    head,
    ...left,
    ...(rows.length > 0 ? ['', ...columns(rows)] : []),
    '',
    ...(urls ? links(urls, colors.dim) : []),
  ];
}

function links(
  { temporalUi, api, apiDocs, prometheus, mcp }: SandboxUrls,
  dim: (text: string) => string,
): string[] {
  return Object.entries({
    'Temporal UI': temporalUi,
    API: api,
    'API docs': apiDocs,
    Prometheus: prometheus,
    ...mcp,
  }).map(([label, url]) => `${dim(pad(label, LABEL))}${url}`);
}
