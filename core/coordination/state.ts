import type { DegradedRule } from '../health';
import type { LeverMove } from '../journal';
import type { AlertRef, Forced, Mode, Planned, RunState, Trigger } from '../run';

/**
 * What the coordinator knows, as plain JSON: it travels through continue-as-new. The functions beside this file change it
 * in place and are all there is to decide; the workflow carries their answers out.
 *
 * Invariants: no two holders' scopes overlap, and an incident is open only while its run holds its scope or waits for it.
 */
export interface Coordination {
  /** Holder of each locked scope. */
  locks: Record<string, Lock>;
  /** Runs that were promised a scope and wait until those in their way have yielded; oldest first. */
  waiting: Claim[];
  /** Open incidents by the scope they are about. */
  incidents: Record<string, Incident>;
  /** Incidents whose runs were over a moment ago, by scope, with the ISO time of that. */
  closed: Record<string, { incident: Incident; at: string }>;
  /** Faults by scope as they were last handed over, of the last {@link WINDOW_MS}; dropped once a run has dealt with them. */
  reported: Record<string, { faultAt: string; source: string; at: string }>;
  /** What automation did of late: the memory of the anti-flapping rule. */
  past: PastRun[];
  /** How many automatic runs were started in each minute (`2026-11-21T12:05`) of the last hour. */
  starts: Record<string, number>;
  /** Engaged where it is set. */
  lever?: Lever;
  /** Its last moves, the oldest first: the journal reads them here. */
  leverMoves: LeverMove[];
  /** By run: faults of narrower scopes that it deals with. They get runs of their own where it ends without having acted. */
  parts: Record<string, Fault[]>;
  /** Faults that came while the lever was engaged, by scope: the first of each. */
  held: Record<string, ReportedFault>;
  /** Incidents opened so far; part of their ids. */
  opened: number;
}

/** What the coordinator knows before anything has happened. */
export function nothingOpen(): Coordination {
  return {
    locks: {},
    waiting: [],
    incidents: {},
    closed: {},
    reported: {},
    past: [],
    starts: {},
    leverMoves: [],
    parts: {},
    held: {},
    opened: 0,
  };
}

/** For so long a fault that nobody deals with counts as going on, ms: the monitor hands it over again every 5 s. */
export const WINDOW_MS = 6_000;

/** Whose work goes first, lowest first: a drill, planned work or what nobody has approved yet, a rescue, a person's rescue. */
export const PRECEDENCE = ['drill', 'planned', 'failover', 'manual'] as const;
export type Precedence = (typeof PRECEDENCE)[number];

export interface Lock {
  run: string;
  runbook: string;
  trigger: Trigger;
  precedence: Precedence;
  /** ISO time. */
  since: string;
  /** The run that it was asked to make room for. */
  yieldsTo?: string;
  /** It makes room for rescues alone, and goes on after them: it lends its scope and gets it back. */
  waits?: boolean;
  /**
   * Scopes within its own that it has taken out of service itself, or where a run beneath it is at work: what fails there is its own doing.
   * Of what a run tells of itself, left out: as before.
   */
  inHand?: string[];
}

/** A lock with the scope it is on. */
export interface Claim extends Lock {
  scope: string;
  /** Of one that waits: the scope was its own, and it has lent it. It touches nothing until it has it back. */
  lent?: boolean;
}

export interface Incident {
  id: string;
  scope: string;
  /** What answers it, and what with. */
  runbook: string;
  input: Record<string, unknown>;
  run: string;
  /** Earliest observation by any source. */
  faultAt: string;
  openedAt: string;
  /** Distinct alerts, a bounded number of them. */
  alerts: AlertRef[];
  /** All that arrived, repeats included. */
  arrivals: number;
  /** Scopes below that of the incident which failed as part of it. */
  places?: string[];
}

/** An automatic run that is over, as the anti-flapping rule remembers it. */
export interface PastRun {
  runbook: string;
  scope: string;
  state: RunState;
  /** Whether it changed anything. */
  changed: boolean;
  /** ISO time of its end. */
  at: string;
}

/** The safety lever: while it is engaged automation does nothing (DESIGN section 4). */
export interface Lever {
  by: string;
  reason: string;
  /** ISO time. */
  since: string;
}

/** A fault that wants a run: an alert that matched a runbook, or what the monitor saw. */
export interface Fault {
  runbook: string;
  input: Record<string, unknown>;
  scope: string;
  trigger: Trigger;
  alert: AlertRef;
}

/** An alert that no runbook answers, about a place: evidence for the run that deals with a fault there. */
export type Symptom = Pick<Fault, 'scope' | 'alert'>;

/** A fault as a door hands it over. */
export interface ReportedFault extends Fault {
  /** ISO time of the handing over. */
  reportedAt: string;
}

/** The answer to a fault: the incident it opened or joined, and the run that deals with it. */
export interface Opened {
  incident: string;
  run: string;
  joined: boolean;
}

/** The answer to one of several faults: what it opened or joined, or why it could not be dealt with. */
export type Answered = Opened | { error: { code: string; sentence: string } };

/** A run somebody asks for. `run` is its workflow id. */
export interface StartRequest {
  run: string;
  runbook: string;
  input: Record<string, unknown>;
  scope: string;
  mode: Mode;
  trigger: Trigger;
  by: string;
  /** The door that it was asked for at. */
  door?: string;
  reason?: string;
  /** Digest of what was asked under an idempotency key. */
  digest?: string;
  /** The run whose step this one is: where that one holds the scope, or one around it, this one needs no lock of its own. */
  under?: string;
  /** Who has forced that one already. */
  forced?: Forced;
  /** What it is to carry out. */
  planned?: Planned;
}

/** The answer to a start: the run asked for, or the one of the same runbook that already works on the scope. */
export interface Started {
  run: string;
  joined: boolean;
}

/** The answer to a run that asks for its scope: it has it, will get it once `waitsFor` have yielded, or not: why. */
export type Grant = { granted: true } | { waitsFor: string[] } | { refused: string };

/** Sent by a run that begins under a lock that was taken for it, and again once a person has approved it. */
export type Holding = Omit<Claim, 'yieldsTo' | 'lent'>;

/** Sent by a run that ends. */
export interface Release {
  run: string;
  scope: string;
  state: RunState;
  /** Whether it changed anything. */
  changed: boolean;
  /** The person who had a say in it, where one had: the fault is known then. */
  seenBy?: string;
}

/** What a person does to the safety lever. */
export interface LeverChange {
  engaged: boolean;
  by: string;
  reason: string;
}

/** A run has to make room: to a wider one, which takes its work over, or to one that goes first. */
export interface Yield {
  to: string;
  runbook: string;
  scope: string;
}

/** What the environment file says of coordination; times in ms. */
export interface Rules {
  /** How many nodes in service each zone, each region and `global` has when all is well; by scope. */
  nodes: Record<string, number>;
  /** From when on a place's failed nodes are one failure of the place (H4), by kind of scope. */
  degraded: Record<'zone' | 'region', DegradedRule>;
  /** Runbooks for systems that this environment does not have: none of them takes the work of others over. */
  absent?: string[];
  /** How often automation may do the same to one scope before it asks a person, by kind of scope. */
  repeats: Partial<Record<string, { times: number; withinMs: number }>>;
  budget: { runsPerHour: number; capacityOut: number };
  windows: Windows;
}

/** When planned work may begin; at any time where a list is left out (X5). */
export interface Windows {
  drill?: Window[];
  deploy?: Window[];
  blocked?: { from: string; to: string; reason: string }[];
}

/** Some days of the week, from one time of the day to another (`02:00`), UTC. */
export interface Window {
  days: readonly string[];
  from: string;
  to: string;
}
