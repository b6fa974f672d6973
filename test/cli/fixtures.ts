import { createColors } from 'picocolors';
import type { Look } from '../../cli/render/look';
import type { RunReport, StepRecord } from '../../core/run';

const START = Date.parse('2026-03-01T03:12:05.000Z');

/** ISO time this many milliseconds after the fault. */
export function at(ms: number): string {
  return new Date(START + ms).toISOString();
}

/** Without colours, 80 columns wide, `ms` after the fault. */
export function look(given: Partial<Look> & { ms?: number } = {}): Look {
  const { ms = 3900, ...rest } = given;
  return { width: 80, colors: createColors(false), now: START + ms, ...rest };
}

export function step(
  title: string,
  from: number,
  to: number | undefined,
  given: Partial<StepRecord> = {},
): StepRecord {
  return {
    id: 0,
    title,
    kind: 'act',
    state: to === undefined ? 'running' : 'done',
    startedAt: at(from),
    ...(to === undefined ? {} : { endedAt: at(to) }),
    attempts: 1,
    ...given,
  };
}

/** As the engine numbers them. */
function numbered(steps: StepRecord[]): StepRecord[] {
  return steps.map((one, i) => ({ ...one, id: i + 1 }));
}

export const RUN = 'node-failover-us-east-1-a-n1-0301-031205';

/** A run in the middle of its restart. */
export function running(given: Partial<RunReport> = {}): RunReport {
  return {
    run: RUN,
    runbook: 'node-failover',
    scope: 'node/us-east-1/a/n1',
    mode: 'execute',
    state: 'running',
    sentence: 'Restart it',
    input: { node: 'us-east-1/a/n1' },
    by: 'monitor us-east-1',
    trigger: 'monitor',
    incident: 'INC-20260301-0001',
    startedAt: at(300),
    clock: { faultAt: at(0), isolatedAt: at(620) },
    objective: { rtoMs: 5000 },
    actual: { sessionsLost: 0 },
    steps: numbered([
      step('Confirm the failure', 310, 410, {
        kind: 'look',
        sentence: 'us-east-1/a/n1 has failed: /health: connection refused; haproxy says DOWN; process exited',
      }),
      step('Can the pool spare it?', 410, 440, {
        kind: 'look',
        sentence: '5 of 6 nodes stay healthy, 3 are needed',
      }),
      step('Take it out of the load balancer', 440, 620, {
        sentence: 'a-n1 is out of service (was ready, 4 requests in flight)',
      }),
      step('Hand its sessions to the others', 620, 700, {
        sentence: '24 sessions handed to 5 nodes, none lost',
      }),
      step('Bring its capacity back', 700, undefined, { kind: 'look' }),
      step('Restart it', 700, undefined),
    ]),
    decisions: [],
    alerts: [
      { source: 'monitor', fingerprint: 'f1', summary: 'us-east-1/a/n1: connection refused', faultAt: at(0) },
    ],
    ...given,
  };
}

/** The same run at its end. */
export function recovered(given: Partial<RunReport> = {}): RunReport {
  const { steps, ...before } = running();
  return {
    ...before,
    state: 'recovered',
    sentence: 'us-east-1/a/n1 was restarted and serves again',
    endedAt: at(3950),
    clock: { faultAt: at(0), isolatedAt: at(620), provenAt: at(3920) },
    actual: { rtoMs: 3920, sessionsLost: 0 },
    steps: numbered([
      ...steps.slice(0, 4),
      step('Bring its capacity back', 700, 2900, { kind: 'look', sentence: 'restart 1 worked' }),
      step('Restart it', 700, 1240, { sentence: 'started as pid 4711 (was exited)' }),
      step('Wait until it is healthy', 1240, 1900, {
        kind: 'look',
        sentence: '2 healthy checks in a row, MCP initialize and ping included',
      }),
      step('Ramp to 25 %', 1900, 2210, { sentence: 'a-n1 takes 25 %' }),
      step('Ramp to 50 %', 2210, 2520, { sentence: 'a-n1 takes 50 %' }),
      step('Ramp to 100 %', 2520, 2900, { sentence: 'a-n1 takes 100 %' }),
      step('Prove it through the load balancer', 2900, 3940, {
        kind: 'watch',
        sentence: '20 of 20 MCP calls through http://127.1.0.1:8080/mcp answered within 1 s',
      }),
    ]),
    ...given,
  };
}

/** Held by a step that failed for good. */
export function needsAttention(given: Partial<RunReport> = {}): RunReport {
  const { steps, ...before } = running();
  const long =
    'no way worked; restart 1: the process ended 3 times within 2 s of its start, last with exit status 1; restart 2: the same; a spare: NO_SPARE zone a of us-east-1 has no spare that is installed and stopped';
  return {
    ...before,
    state: 'needs attention',
    sentence: `Bring its capacity back: ${long}. Answer with retry or abort`,
    steps: numbered([
      ...steps.slice(0, 4),
      step('Bring its capacity back', 700, 3100, {
        kind: 'look',
        state: 'failed',
        sentence: long,
        attempts: 2,
      }),
      step('Restart it', 700, 1500, {
        state: 'failed',
        sentence: 'the process ended 3 times within 2 s of its start',
      }),
      step('Call on-call', 3100, 3180, { kind: 'escalate', sentence: 'on-call was called' }),
    ]),
    ...given,
  };
}

/** Aborted by a person, everything undone. */
export function aborted(given: Partial<RunReport> = {}): RunReport {
  const { steps, ...before } = running();
  return {
    ...before,
    state: 'aborted',
    sentence: 'aborted by ada (wrong node) and undone',
    endedAt: at(2000),
    steps: numbered([
      ...steps.slice(0, 4),
      step('Bring its capacity back', 700, 1900, {
        kind: 'look',
        state: 'failed',
        sentence: 'interrupted: the run is aborted',
      }),
      step('Put it back into the load balancer', 1900, 1980, {
        kind: 'undo',
        sentence: 'a-n1 is in service again',
      }),
    ]),
    decisions: [{ kind: 'abort', by: 'ada', reason: 'wrong node', at: at(1880) }],
    ...given,
  };
}

/** What an execution would do. */
export function planned(given: Partial<RunReport> = {}): RunReport {
  const { incident: _, ...before } = running();
  const sentence = 'a-n1 would be taken out of the load balancer';
  return {
    ...before,
    mode: 'plan',
    state: 'planned',
    by: 'ada',
    trigger: 'manual',
    sentence: 'us-east-1/a/n1 was restarted and serves again',
    endedAt: at(900),
    clock: {},
    actual: {},
    steps: numbered([
      step('Confirm the failure', 310, 410, { kind: 'look', sentence: 'us-east-1/a/n1 serves' }),
      step('Take it out of the load balancer', 410, 430, { state: 'would change', sentence }),
      step('Hand its sessions to the others', 430, 440, {
        state: 'unchanged',
        sentence: 'it owns no sessions',
      }),
    ]),
    alerts: [],
    plan: { mutating: 1, readOnly: 2, changes: [sentence] },
    ...given,
  };
}

/** Started in the Temporal UI: somebody has to agree. */
export function waitingForApproval(given: Partial<RunReport> = {}): RunReport {
  return running({
    state: 'waiting for approval',
    sentence: 'waits until 03:31 UTC for the approval of one person',
    by: 'somebody in the Temporal UI',
    trigger: 'unknown',
    approvalsMissing: 1,
    clock: {},
    steps: [],
    ...given,
  });
}

/** Every kind of run, by name. */
export const EVERY = { running, recovered, needsAttention, aborted, planned, waitingForApproval };
