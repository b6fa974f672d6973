/**
 * What a runbook can need to be carried out. Its declaration says which (`needs`); where it does not, the kind of its scope does.
 */
export const NEEDS = [
  'balancers',
  'supervisors',
  'sessions',
  'node-headroom',
  'spares',
  'zone-headroom',
  'region-headroom',
  'evacuation-headroom',
  'second-balancers',
  'registry-standby',
  'database-successor',
  'database-switch',
  'database-members',
  'database-machines',
  'control-plane',
  'store-successor',
  'store-switch',
  'name',
  'repositories',
  'backup',
] as const;
export type Need = (typeof NEEDS)[number];
