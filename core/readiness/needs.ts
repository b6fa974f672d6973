import type { Config } from '../config';
import type { Need } from '../needs';
import type { Runbook } from '../runbook';

/** To leave a region or to lead its clients back. */
const REGION: readonly Need[] = [
  'name',
  'region-headroom',
  'balancers',
  'database-successor',
  'store-successor',
  'sessions',
];

/** What runbooks need whose declaration does not say it, by the kind of their scope. */
const USUAL: Readonly<Record<Runbook['scope']['kind'], readonly Need[]>> = {
  global: REGION,
  region: REGION,
  zone: ['zone-headroom', 'balancers', 'supervisors', 'sessions'],
  node: ['node-headroom', 'spares', 'balancers', 'supervisors', 'sessions'],
  place: ['balancers', 'sessions'],
  lb: ['second-balancers'],
  registry: ['registry-standby'],
  database: ['database-successor'],
  control: ['database-machines'],
  members: ['database-members'],
  redis: ['store-successor'],
  dns: ['name'],
  backups: ['repositories'],
  drill: ['balancers', 'supervisors', 'sessions'],
};

/** The part of the environment file that a need is about, where not every environment has that. */
const PART: Partial<Record<Need, string>> = {
  'second-balancers': 'loadBalancer.programs',
  'registry-standby': 'registry',
  'database-successor': 'database',
  'database-switch': 'database',
  'database-members': 'database',
  'database-machines': 'database',
  'control-plane': 'database',
  'store-successor': 'sessions.sentinel',
  'store-switch': 'sessions.sentinel',
  name: 'dns',
  repositories: 'backups',
  backup: 'backups',
};

/** Kinds of scopes that are places: without one of the stores there is still something to do for them. */
const PLACES: readonly string[] = ['global', 'region', 'zone', 'node', 'place'];
const STORES: readonly string[] = ['database', 'sessions.sentinel', 'registry'];

/** The needs of a runbook, those left out whose system the environment does not have. */
export function needsOf(runbook: Runbook, config: Config): Need[] {
  const parts = partsOf(config);
  return declared(runbook).filter((need) => parts[PART[need] ?? ''] ?? true);
}

/** The part of the environment file that a runbook is for and that this one does not have; undefined where it has it. */
export function lacking(runbook: Runbook, config: Config): string | undefined {
  const parts = partsOf(config);
  return declared(runbook)
    .flatMap((need) => PART[need] ?? [])
    .find((part) => !parts[part] && !(PLACES.includes(runbook.scope.kind) && STORES.includes(part)));
}

function declared({ needs, scope }: Runbook): readonly Need[] {
  return needs ?? USUAL[scope.kind];
}

function partsOf({ registry, database, sessions, dns, backups, regions }: Config): Record<string, boolean> {
  return {
    'loadBalancer.programs': Object.values(regions).some(({ loadBalancer }) => loadBalancer.programs),
    registry: registry !== undefined,
    database: database !== undefined,
    'sessions.sentinel': sessions.sentinel !== undefined,
    dns: dns !== undefined,
    backups: backups !== undefined,
  };
}
