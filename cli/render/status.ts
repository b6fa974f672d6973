import type { Incident } from '../../core/coordination';
import { elapsed } from '../../core/report';
import { wayInWords, type Way } from '../../core/ways';
import type { Node } from '../../core/topology';
import type { Look } from './look';
import { counted, pad } from './text';

/** The fleet and what is being done to it, at one moment. */
export interface Status {
  environment: string;
  regions: {
    name: string;
    weight: number;
    role: string;
    /** What clients call. */
    url: string;
    /** `ok` and `said`: what `/health` answered to the machine that asked. */
    nodes: (Node & { ok: boolean; said: string })[];
  }[];
  /** Who holds what, and who waits for whom and why; a sentence each. */
  claims: string[];
  incidents: Incident[];
  /** Between regions, as their workers probed them lately. */
  ways: Way[];
  /** Why claims and incidents are not known. */
  trouble?: string;
}

type StatusNode = Status['regions'][number]['nodes'][number];

/** Regions with their nodes by zone, then open incidents, then locks. */
export function statusPage(status: Status, look: Look): string[] {
  const { colors } = look;
  const { environment, regions } = status;
  const nodes = regions.flatMap((region) => region.nodes.filter(({ spare }) => !spare));
  const healthy = nodes.filter(({ ok }) => ok).length;
  const share = (healthy === nodes.length ? colors.green : colors.red)(
    `${healthy} of ${nodes.length} nodes answer`,
  );
  return [
    `${colors.bold(environment)}  ${share} ${colors.dim('(/health, asked from here)')}`,
    ...regions.flatMap((region) => ['', ...regionLines(region, look)]),
    ...wayLines(status, look),
    '',
    ...(status.trouble
      ? [colors.yellow(`! locks and incidents are not known: ${status.trouble}`)]
      : work(status, look)),
  ];
}

function work({ incidents, claims }: Status, look: Look): string[] {
  const { colors } = look;
  const open = incidents.flatMap((incident) => incidentLines(incident, look));
  return [
    ...(open.length > 0 ? open : [colors.dim('no open incident')]),
    ...(claims.length > 0 ? claims : [colors.dim('nothing is locked')]),
  ];
}

/** Who is lossy or slow to whom; nothing where all is well. */
function wayLines({ ways }: Status, { colors }: Look): string[] {
  const sick = ways.filter(({ state }) => state !== 'healthy');
  const lines = sick.map(
    (way) => `${colors.red('!')} ${way.from} → ${way.to} is ${way.state}: ${wayInWords(way)}`,
  );
  return lines.length > 0 ? ['', ...lines] : [];
}

function regionLines({ name, weight, role, url, nodes }: Status['regions'][number], look: Look): string[] {
  const { colors } = look;
  const zones = [...new Set(nodes.map(({ zone }) => zone))];
  return [
    `${colors.bold(name)}  ${weight} %  ${role}  ${colors.dim(url)}`,
    ...zones.map((zone) => {
      const members = nodes.filter((node) => node.zone === zone).map((node) => nodeText(node, look));
      return `  ${pad(zone, 3)}${members.join('  ')}`;
    }),
  ];
}

function nodeText({ name, ok, said, spare }: StatusNode, { colors }: Look): string {
  if (ok) return `${colors.green('✓')} ${name}`;
  return spare ? colors.dim(`· ${name} spare`) : `${colors.red('✗')} ${name} ${colors.red(said)}`;
}

function incidentLines({ id, scope, run, faultAt, arrivals }: Incident, { colors, now }: Look): string[] {
  const since = `for ${elapsed(Math.max(0, now - Date.parse(faultAt)))}, ${counted(arrivals, 'alert')}`;
  return [
    `${colors.red('!')} ${colors.bold(id)}  ${scope}  ${colors.dim(since)}`,
    `    ./switchover watch ${run}`,
  ];
}
