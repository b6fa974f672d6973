/** What the lab's worker runs: runbooks that play the lines of their input, on the real engine, and the entities themselves. */
import { runbook } from '../../../workflows/engine/runbook';
import { play, type Played } from './procedure';

export { componentDrill } from '../../../workflows/component-drill';
export { coordinator } from '../../../workflows/coordinator';
export { readiness } from '../../../workflows/readiness';
export { scheduledRun } from '../../../workflows/scheduled-run';
export { timekeeper } from '../../../workflows/timekeeper';

export const labAsk = runbook<Played>('lab-ask', play);
export const labFleet = runbook<Played>('lab-fleet', play);
export const labForced = runbook<Played>('lab-forced', play);
export const labUndo = runbook<Played>('lab-undo', play);
export const labApproval = runbook<Played>('lab-approval', play);
export const labPlanned = runbook<Played>('lab-planned', play);
export const labWaits = runbook<Played>('lab-waits', play);
export const labZone = runbook<Partial<Played>>('lab-zone', (run, { lines = ['act zone'] }) =>
  play(run, { lines }),
);
