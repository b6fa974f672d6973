import type { NodeFault, Settings } from '../../sandbox';

/** Something that copes with a failed node, alone with its fleet. */
export interface Contender {
  name: string;
  settings: Partial<Settings>;
  /** Whether it brings the node back; else the benchmark does, after the measurement. */
  heals: boolean;
}

/** What is done to nodes, and for which part of the repeats. */
export const FAULTS: readonly { fault: NodeFault; does: string; share: number }[] = [
  { fault: 'kill', does: 'SIGKILL', share: 1 },
  { fault: 'hang', does: 'SIGSTOP', share: 0.5 },
];

/** The same fleet for all of them, with nothing beside it that is not needed. */
const FLEET = { nodesPerZone: 2, sparesPerZone: 1, server: false, monitoring: false };

/** HAProxy without Switchover. @param checks interval / failures until a node is down */
function alone(checks: string, haproxyObserve = false): Contender {
  return {
    name: `HAProxy ${checks}${haproxyObserve ? ' + observe' : ''}`,
    settings: { ...FLEET, workers: 0, checks, haproxyObserve },
    heals: false,
  };
}

export const SWITCHOVER: Contender = { name: 'Switchover', settings: { ...FLEET, workers: 2 }, heals: true };
export const SLOW_CHECKS = alone('2s/3');
export const FAST_CHECKS = alone('500ms/2');
/** HAProxy as the sandbox sets it up for Switchover, without Switchover: how much of the figures is its merit. */
const OBSERVING = alone('2s/3', true);

export const CONTENDERS = [SWITCHOVER, SLOW_CHECKS, FAST_CHECKS, OBSERVING] as const;
