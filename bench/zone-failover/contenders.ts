import type { Settings } from '../../sandbox';

/** Something that copes with a zone most of whose nodes have failed, alone with its fleet. */
export interface Contender {
  name: string;
  settings: Partial<Settings>;
  /** Whether it leaves the zone and brings it back; else the benchmark starts the nodes, after the measurement. */
  heals: boolean;
}

/** Six of eight nodes of the zone fail. */
export const ZONE = { id: 'us-east-1/a', nodes: 8, share: 0.75 } as const;

/** The same fleet for both, 72 nodes, with nothing beside it that is not needed. */
const FLEET = { nodesPerZone: ZONE.nodes, sparesPerZone: 0, server: false, monitoring: false };

export const SWITCHOVER: Contender = { name: 'Switchover', settings: { ...FLEET, workers: 2 }, heals: true };

/** HAProxy as the sandbox sets it up for Switchover, without Switchover. */
export const ALONE: Contender = {
  name: 'HAProxy alone',
  settings: { ...FLEET, workers: 0 },
  heals: false,
};

export const CONTENDERS = [SWITCHOVER, ALONE] as const;
