import type { Forced, Mode, RunState, Trigger } from '../core/run';

/** What somebody asks for at any door. */
export interface StartAsk {
  runbook: string;
  input: Record<string, unknown>;
  mode?: Mode;
  /** Who asks; goes into the audit. */
  by: string;
  /** At which door, for the audit: `the API`, `the command line`. */
  door?: string;
  reason?: string;
  /** Default `manual`. */
  trigger?: Trigger;
  /** The run whose step this one is, and the name that this one is to have: the same name and ask give the same run. */
  under?: { run: string; as: string; forced?: Forced };
  /** The name that the run is to have: the same name and ask give the same run. */
  as?: string;
  /** The run that planned this one: what it does is compared with that. */
  plan?: string;
  /** Idempotency key: the same key and ask give the same run, for as long as Temporal keeps it. */
  key?: string;
}

/** A line of a list of runs. */
export interface RunSummary {
  run: string;
  runbook: string;
  scope: string;
  mode: string;
  state: RunState;
  startedAt: string;
  endedAt?: string;
}
