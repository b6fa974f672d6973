import type { Settings } from '../../sandbox';

/**
 * What happens to the primary: it is killed, or hangs, with all its processes; or its role is given to another as planned.
 */
export type Happening = 'killed' | 'hung' | 'planned';

/** Who looks after the database, on a cluster that all its happenings share. */
export interface Contender {
  name: string;
  settings: Partial<Settings>;
  /** Whether Switchover is at work beside Patroni. */
  switchover: boolean;
  happenings: readonly Happening[];
}

/** Patroni's own: lease 30 s, loop 10 s, retry 10 s. */
const DEFAULTS = '30/10/10';
const TIGHTEST = '5/1/2';

/** The same for all: three members, and a small fleet beside them. */
const FLEET = { nodesPerZone: 1, sparesPerZone: 0, server: false, monitoring: false, database: true };

export const SWITCHOVER: Contender = {
  name: 'Switchover',
  settings: { ...FLEET, workers: 1, patroni: DEFAULTS },
  switchover: true,
  happenings: ['killed', 'hung', 'planned'],
};
export const PATRONI: Contender = {
  name: `Patroni alone, ${DEFAULTS} (its defaults)`,
  settings: { ...FLEET, workers: 0, patroni: DEFAULTS },
  switchover: false,
  happenings: ['killed', 'planned'],
};
const TIGHT: Contender = {
  name: `Patroni alone, ${TIGHTEST} (the tightest that is safe)`,
  settings: { ...FLEET, workers: 0, patroni: TIGHTEST },
  switchover: false,
  happenings: ['killed', 'hung'],
};
export const ASYNCHRONOUS: Contender = {
  name: 'Switchover, asynchronous',
  settings: { ...FLEET, workers: 1, patroni: DEFAULTS, synchronous: false },
  switchover: true,
  happenings: ['killed'],
};

export const CONTENDERS: readonly Contender[] = [SWITCHOVER, PATRONI, TIGHT, ASYNCHRONOUS];
