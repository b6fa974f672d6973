/** What the lab's worker runs: three runbooks that play the lines of their input, on the real engine, and the real coordinator. */
import { runbook } from '../../../workflows/engine/runbook';
import { play, type Played } from './procedure';

export { coordinator } from '../../../workflows/coordinator';

export const labAsk = runbook<Played>('lab-ask', play);
export const labUndo = runbook<Played>('lab-undo', play);
export const labApproval = runbook<Played>('lab-approval', play);
