import { Context } from '@temporalio/activity';
import { millis } from '../core/time';
import type { Grant, Holding, Release, StartRequest, Started } from '../core/coordination';
import { SwitchoverError } from '../core/errors';
import type { Briefing, DecisionKind, DecisionRequest, RunReport } from '../core/run';
import { findRunbook, objectiveOf, scopeOf } from '../core/runbook';
import { checkRequest } from '../core/runbook-schema';
import { checkTarget } from '../core/target';
import { catalogue, type StartAsk } from '../operations';
import { beating } from './beating';
import type { Deps } from './deps';
import type { Notice } from './ports';

/** A decision for a run that is a step of another. */
interface Passing {
  run: string;
  /** Whose step it is. */
  under: string;
  kind: DecisionKind;
  decision: DecisionRequest;
  wait?: boolean;
}

/** Activities every run needs, whatever its runbook. */
export function engineActivities(deps: Deps) {
  /** A worker that shuts down must not wait for the coordinator, which may have no other worker to answer in. */
  const whileAsked = <Answer>(ask: () => Promise<Answer>): Promise<Answer> =>
    deps.operations.until(Context.current().cancellationSignal, ask);
  return {
    /** See {@link brief}. */
    async briefing({ runbook, request }: { runbook: string; request: unknown }): Promise<Briefing> {
      return brief(deps, runbook, request);
    },

    /** Takes the scope's lock for a run that was started past the coordinator. */
    async acquireScope(claim: Omit<StartRequest, 'input' | 'by'>): Promise<Grant> {
      return whileAsked(() => deps.operations.acquire(claim));
    },

    /** Tells the coordinator of a lock that it may have died over before it recorded it. */
    async recordHolding(holding: Holding): Promise<void> {
      await whileAsked(() => deps.operations.recordHolding(holding));
    },

    /** Lets rescues have the scope of a run that goes on after them. */
    async lendScope(holding: Holding): Promise<void> {
      await whileAsked(() => deps.operations.lendScope(holding));
    },

    /** Gives back the scope of a run that is over. */
    async giveBack(release: Release): Promise<void> {
      await whileAsked(() => deps.operations.giveBack(release));
    },

    /** Starts a run as a step of another, or joins the one that does the same already; the same name gives the same run. */
    async startNested(ask: StartAsk): Promise<Started> {
      return whileAsked(() => deps.operations.start(ask));
    },

    /** The report of a run once it is over. */
    followNested: beating(({ run }: { run: string }): Promise<RunReport> =>
      whileAsked(() => deps.operations.outcome(run)),
    ),

    /**
     * Passes a decision on to a run that is a step of another. One that it does not take then is void, and so is one to a run that
     * was only joined: it is somebody else's.
     * @param ask.wait until that run is over
     * @returns its report where it was waited for
     */
    tellNested: beating(async (ask: Passing): Promise<RunReport | undefined> => {
      const { run, under, kind, decision, wait } = ask;
      const { operations } = deps;
      return whileAsked(async () => {
        if ((await operations.show(run)).under !== under) return undefined;
        await operations.decide(run, kind, decision).catch((error: unknown) => {
          if (!(error instanceof SwitchoverError) || error.code !== 'DECISION_REFUSED') throw error;
        });
        return wait ? operations.outcome(run) : undefined;
      });
    }),

    async notifyPeople({ notice, key }: { notice: Notice; key: string }): Promise<void> {
      await deps.notifier.notify(notice, key);
    },
  };
}

/**
 * Checks a request whole and says what its run has to know.
 * @throws BAD_INPUT naming every wrong field, UNKNOWN_TARGET where its scope names nothing of the environment.
 */
export function brief(
  { config, attended, foresight }: Pick<Deps, 'config' | 'attended' | 'foresight'>,
  runbook: string,
  request: unknown,
): Briefing {
  const declared = findRunbook(catalogue, runbook);
  const { input } = checkRequest<Record<string, unknown>>(declared, request);
  checkTarget(config, scopeOf(declared, input));
  const objective = objectiveOf(declared, input);
  const promised = config.objectives[objective];
  if (!promised)
    throw new SwitchoverError(
      'BAD_CONFIG',
      `objectives.${objective}: is missing (for example {"rto": "5s"})`,
    );
  const { restarts, ramp, zoneHold } = config.policies;
  const forecast = foresight?.of(runbook);
  return {
    rtoMs: millis(promised.rto),
    ...(forecast ? { forecast } : {}),
    ...(promised.rpo === undefined ? {} : { rpoMs: millis(promised.rpo) }),
    escalation: config.escalation,
    restarts,
    ramp,
    zoneHoldMs: millis(zoneHold),
    ...(attended && { attended: attended() }),
  };
}
