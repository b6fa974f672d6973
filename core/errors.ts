/**
 * The one error table. Every error a person or program can meet carries one of these codes; the same code is the
 * `type` of a Temporal `ApplicationFailure`, the `code` of a problem+json body and the reason of an exit status.
 * `docs/errors.md` is kept equal to this table by a test.
 */
export const ERRORS = {
  BAD_INPUT: {
    retryable: false,
    http: 400,
    exit: 2,
    hint: 'Correct the field named in the message and send it again.',
  },
  BAD_CONFIG: {
    retryable: false,
    http: 500,
    exit: 2,
    hint: 'Correct the environment file (SWITCHOVER_CONFIG); `switchover check` lists every problem.',
  },
  UNKNOWN_RUNBOOK: {
    retryable: false,
    http: 404,
    exit: 2,
    hint: 'List the runbooks with `switchover runbooks`.',
  },
  UNKNOWN_RUN: { retryable: false, http: 404, exit: 2, hint: 'List the runs with `switchover runs`.' },
  UNKNOWN_SCHEDULE: {
    retryable: false,
    http: 404,
    exit: 2,
    hint: 'List the schedules with `switchover schedules`.',
  },
  UNKNOWN_TARGET: {
    retryable: false,
    http: 404,
    exit: 2,
    hint: 'Targets are named in the environment file; `switchover status` lists them.',
  },
  UNAUTHENTICATED: {
    retryable: false,
    http: 401,
    exit: 2,
    hint: 'Send `Authorization: Bearer <token>`; tokens are named in the environment file.',
  },
  FORBIDDEN: {
    retryable: false,
    http: 403,
    exit: 5,
    hint: 'Ask somebody with the role named in the message.',
  },
  KEY_REUSED: {
    retryable: false,
    http: 409,
    exit: 2,
    hint: 'Use a new Idempotency-Key for a different request.',
  },
  DECISION_REFUSED: {
    retryable: false,
    http: 409,
    exit: 2,
    hint: 'Look at the run (`switchover show RUN`): it is not in a state that takes this decision.',
  },
  GUARD_REFUSED: {
    retryable: false,
    http: 409,
    exit: 5,
    hint: 'The guard names what must change first; nothing was touched.',
  },
  LOCK_HELD: {
    retryable: false,
    http: 409,
    exit: 5,
    hint: 'Wait for the run that holds the scope, or abort it.',
  },
  NO_RUNBOOK: {
    retryable: false,
    http: 422,
    exit: 5,
    hint: 'Name the alert under `alerts` of the runbook that should answer it, or leave it to people.',
  },
  LEVER_ENGAGED: {
    retryable: false,
    http: 409,
    exit: 5,
    hint: 'Automation is stopped: `switchover status` says by whom and why; `switchover lever release` lets it go on.',
  },
  NOT_NOW: {
    retryable: false,
    http: 409,
    exit: 5,
    hint: 'Drills and deploys have their times (policies.windows) and wait until every incident is closed.',
  },
  LB_UNREACHABLE: {
    retryable: true,
    http: 502,
    exit: 1,
    hint: 'Check the load balancer process and its runtime API address in the environment file.',
  },
  LB_REFUSED: {
    retryable: false,
    http: 502,
    exit: 1,
    hint: 'The load balancer rejected the command; compare its server list with the environment file.',
  },
  FLEET_UNREACHABLE: {
    retryable: true,
    http: 502,
    exit: 1,
    hint: 'Check the process supervisor and its address and password in the environment file.',
  },
  FLEET_REFUSED: {
    retryable: false,
    http: 502,
    exit: 1,
    hint: 'The supervisor rejected the command; look at its log for the process named.',
  },
  SESSIONS_UNREACHABLE: {
    retryable: true,
    http: 502,
    exit: 1,
    hint: 'Check the session store (Redis) and its address in the environment file.',
  },
  REGISTRY_UNREACHABLE: {
    retryable: true,
    http: 502,
    exit: 1,
    hint: 'Check the registry (Redis) and its addresses in the environment file.',
  },
  DATABASE_UNREACHABLE: {
    retryable: true,
    http: 502,
    exit: 1,
    hint: 'Check the database (Patroni, etcd) and its addresses in the environment file.',
  },
  JOURNAL_UNREACHABLE: {
    retryable: true,
    http: 502,
    exit: 1,
    hint: 'Check the database of the journal (journal.url); runs go on without it and are written down later.',
  },
  DNS_UNREACHABLE: {
    retryable: true,
    http: 502,
    exit: 1,
    hint: 'Check the API of the DNS service (dns.endpoint) and its limits: it does not answer, or not now.',
  },
  DNS_REFUSED: {
    retryable: false,
    http: 502,
    exit: 1,
    hint: 'The DNS service rejected the call; compare hosted zone, record sets and permissions with the environment file.',
  },
  NOT_FENCED: {
    retryable: false,
    http: 409,
    exit: 4,
    hint: 'Stop the old primary by hand and make sure it stays stopped, then answer with retry.',
  },
  PRIMARY_UNKNOWN: {
    retryable: false,
    http: 409,
    exit: 4,
    hint: 'Find out who was the primary last; `full-outage` starts it again (`--set primary=…`). Else restore a backup.',
  },
  STILL_SERVES: {
    retryable: false,
    http: 409,
    exit: 4,
    hint: 'It is well for others: mend the way to it. Or stop it by hand, and answer with retry.',
  },
  NO_BACKUP: {
    retryable: false,
    http: 409,
    exit: 1,
    hint: 'Take one with `backup-full`, or name a later instant: a backup leads only forwards from its end.',
  },
  BACKUP_DAMAGED: {
    retryable: false,
    http: 500,
    exit: 1,
    hint: 'Take a full backup now, verify it and the other repository, then find out what damages files where the message says.',
  },
  VERIFY_FAILED: {
    retryable: true,
    http: 500,
    exit: 1,
    hint: 'The act was carried out but the world does not show it; see the evidence of the step.',
  },
  NOT_IN_TIME: {
    retryable: false,
    http: 500,
    exit: 1,
    hint: 'It may get there by itself: look at its own log, mend what it says, then answer with retry.',
  },
  NODE_UNHEALTHY: {
    retryable: false,
    http: 500,
    exit: 1,
    hint: 'The node runs but does not serve; look at its log and at the evidence of the step.',
  },
  NODE_HELD: {
    retryable: false,
    http: 409,
    exit: 4,
    hint: 'Find out who keeps the node out of the load balancer; abort the run to put it back.',
  },
  RELEASE_MISSING: {
    retryable: false,
    http: 409,
    exit: 2,
    hint: 'Put the release on the machines named in the message, or name one that is there; nothing was touched.',
  },
  RELEASE_UNFIT: {
    retryable: false,
    http: 500,
    exit: 3,
    hint: 'The release did worse than the one before it; the step has the figures. Mend it and deploy it under another version.',
  },
  METRICS_UNREACHABLE: {
    retryable: true,
    http: 502,
    exit: 1,
    hint: 'Check Prometheus and its address in the environment file (metrics.url).',
  },
  NO_SPARE: {
    retryable: false,
    http: 409,
    exit: 4,
    hint: 'Add a spare to the zone in the environment file, or repair the node by hand.',
  },
  STEP_FAILED: {
    retryable: false,
    http: 500,
    exit: 1,
    hint: 'See the step named; retry, skip or abort the run.',
  },
  TIMED_OUT: {
    retryable: false,
    http: 504,
    exit: 6,
    hint: 'The run goes on; look at it with `switchover show RUN`.',
  },
  TEMPORAL_UNREACHABLE: {
    retryable: true,
    http: 503,
    exit: 1,
    hint: 'Check TEMPORAL_ADDRESS (or the Temporal profile) and that the Temporal server is up.',
  },
  PORT_TAKEN: {
    retryable: false,
    http: 500,
    exit: 2,
    hint: 'Stop the process that holds the address, or run the sandbox on another block (--block).',
  },
  SANDBOX: {
    retryable: false,
    http: 500,
    exit: 1,
    hint: 'See the log named in the message; `switchover sandbox down` cleans up.',
  },
  INTERNAL: {
    retryable: false,
    http: 500,
    exit: 1,
    hint: 'This is a defect in Switchover: please report it with the log.',
  },
} as const satisfies Record<string, ErrorSpec>;

/** What follows from an error code, for every door. */
export interface ErrorSpec {
  /** Whether the same call may succeed later without anybody changing anything. */
  readonly retryable: boolean;
  /** HTTP status of a response that carries the error. */
  readonly http: number;
  /** Exit status of the command line (DESIGN section 10). */
  readonly exit: number;
  /** What to do next, one sentence. */
  readonly hint: string;
}

export type ErrorCode = keyof typeof ERRORS;

/** An error a caller is meant to see: a code of the table and a sentence that says what happened, where and why. */
export class SwitchoverError extends Error {
  override readonly name = 'SwitchoverError';

  constructor(
    readonly code: ErrorCode,
    message: string,
    /** JSON-safe evidence, e.g. the list of problems of a bad file. */
    readonly details?: unknown,
  ) {
    super(message);
  }
}

/** Whether `code` is one of the table's; failures from elsewhere carry other types. */
export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(ERRORS, code);
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
