export * from './state';
export {
  claimScope,
  claims,
  doesTheSame,
  free,
  grantNext,
  lend,
  outranks,
  overlap,
  precedenceOf,
  record,
  type Contest,
} from './locks';
export {
  FRESH_MS,
  attach,
  closeIncidents,
  dealsWith,
  echoed,
  explains,
  forgetReports,
  isOwnDoing,
  notePart,
  noteReports,
  openIncident,
  unfinished,
} from './incidents';
export { widened } from './correlation';
export { forgive, noteEnd, noteLever, noteStart, whyAsk, whyNotNow } from './limits';
export { explain } from './explain';
export { rulesOf } from './rules';

/** A workflow id a person can read: `node-failover-us-east-1-a-n1-1121-120533-412` (month, day, time to the ms, UTC). */
export function runId(runbook: string, scope: string, at: string): string {
  const place = scope.split('/').slice(1).join('-') || scope;
  const stamp = `${at.slice(5, 7)}${at.slice(8, 10)}-${at.slice(11, 19).replaceAll(':', '')}-${at.slice(20, 23)}`;
  return `${runbook}-${place}-${stamp}`;
}
