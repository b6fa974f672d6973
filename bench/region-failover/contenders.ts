import type { Settings } from '../../sandbox';

/** Something that copes with the loss of a region. */
export interface Contender {
  name: string;
  settings: Partial<Settings>;
  /** Whether Switchover's workers and monitors run. */
  switchover: boolean;
}

/** What both have: three regions of six nodes, the data stores, and a name with Route 53's usual TTL and fastest health checks. */
const FLEET: Partial<Settings> = {
  nodesPerZone: 2,
  sparesPerZone: 0,
  server: false,
  monitoring: false,
  database: true,
  sentinel: true,
  dns: true,
  dnsTtl: 30,
  dnsChecks: '10s/3',
};

export const SWITCHOVER: Contender = {
  name: 'Switchover',
  settings: { ...FLEET, workers: 3 },
  switchover: true,
};

/** Route 53's health checks, Patroni at 5/1/2, Sentinel: each by itself. */
export const PARTS: Contender = {
  name: 'the parts alone',
  settings: { ...FLEET, workers: 0 },
  switchover: false,
};

export const CONTENDERS = [SWITCHOVER, PARTS] as const;
