import { archiveTrouble } from '../backup';
import { compareSuccessor, judgeDatabase } from '../database';
import { mostAhead, primaryOf } from '../cache';
import type { Config } from '../config';
import { elapsed, roughly } from '../elapsed';
import type { Forecast } from '../run';
import { objectiveOf, type Runbook } from '../runbook';
import { millis } from '../time';
import { settingsOf } from './settings';
import { notReady, unknown, warning, type Asked } from './shortfall';
import { megabytes } from './stores';
import type { Shortfall, WorldSeen } from './types';

/** What a run begun now would come to: how long by its history, how much would be lost by what is behind at this moment. */
export function forecastOf(runbook: Runbook, { seen, config }: Asked): Forecast {
  const past = seen.history?.[runbook.id];
  const loss = lossOf(runbook, seen, config);
  return {
    runs: past?.runs ?? 0,
    ...(past?.p95Ms === undefined ? {} : { rtoMs: past.p95Ms }),
    ...(loss ? { loss: loss.said } : {}),
    ...(loss?.ms === undefined ? {} : { rpoMs: loss.ms }),
  };
}

/** The entry of the objectives that a run with the runbook's example is measured against. */
export function usualObjective(runbook: Runbook): string {
  return objectiveOf(runbook, runbook.example);
}

/** What speaks against a runbook by its history and by what would be lost. */
export function foreseen(runbook: Runbook, forecast: Forecast, { seen, config }: Asked): Shortfall[] {
  const objective = usualObjective(runbook);
  const { rto, rpo } = config.objectives[objective] ?? {};
  if (rto === undefined)
    return [notReady(`objectives.${objective} is missing`, 'add it to the environment file')];
  const { rtoMs = 0, rpoMs = 0, runs } = forecast;
  return [
    ...proven(runbook, { seen, config }),
    ...(rtoMs > millis(rto)
      ? [
          warning(
            `it is expected to take ${elapsed(rtoMs)} (95 % of ${counted(runs)} took no longer), its objective is ${roughly(millis(rto))}`,
            `see where its time goes: \`./switchover runs --runbook ${runbook.id}\``,
          ),
        ]
      : []),
    ...(rpo !== undefined && rpoMs > millis(rpo)
      ? [
          warning(
            `it would lose ${forecast.loss ?? roughly(rpoMs)}, its objective is ${roughly(millis(rpo))}`,
            'find out what keeps the log from its repositories, or take an incremental backup',
          ),
        ]
      : []),
  ];
}

function proven({ id }: Runbook, { seen, config }: Asked): Shortfall[] {
  if (!seen.history)
    return [
      unknown(
        'when it was last proven is not known: the journal does not answer',
        'see that the database of `journal.url` is reached from the workers',
      ),
    ];
  const todo = 'carry it out in a quiet hour: `./switchover runbook ID` says how';
  const { provenAt } = seen.history[id] ?? {};
  if (provenAt === undefined)
    return [warning('no run or drill of it has ever come to a good end here', todo)];
  const { provenWithinMs } = settingsOf(config);
  const age = Date.parse(seen.at) - Date.parse(provenAt);
  return age > provenWithinMs
    ? [
        warning(
          `it was last proven ${Math.floor(age / 86_400_000)} days ago (${provenAt.slice(0, 10)})`,
          todo,
        ),
      ]
    : [];
}

/** What would be lost. `ms`: as time. */
interface Loss {
  said: string;
  ms?: number;
}

function lossOf({ scope, needs = [] }: Runbook, seen: WorldSeen, config: Config): Loss | undefined {
  if (needs.includes('backup')) return logLoss(seen);
  switch (scope.kind) {
    case 'database':
    case 'region':
    case 'global':
      return config.database ? databaseLoss(seen) : undefined;
    case 'redis':
      return storeLoss(seen);
    default:
      return undefined;
  }
}

function databaseLoss({ database }: WorldSeen): Loss | undefined {
  if (!database || !('value' in database.view)) return undefined;
  const view = database.view.value;
  const { primary, candidate } = judgeDatabase(view);
  if (primary === undefined || candidate === undefined) return undefined;
  if (view.synchronous) return { said: 'no acknowledged row', ms: 0 };
  const { lagBytes } = compareSuccessor(view, primary, candidate);
  if (lagBytes === undefined) return undefined;
  return { said: lagBytes === 0 ? 'no row at this moment' : `rows in ${megabytes(lagBytes)} of the log` };
}

function storeLoss({ cache }: WorldSeen): Loss | undefined {
  if (!cache || !('value' in cache.view)) return undefined;
  const primary = primaryOf(cache.view.value);
  const next = primary && mostAhead(cache.view.value.members, primary);
  return next ? { said: 'no write that a replica had acknowledged', ms: 0 } : undefined;
}

/** What was written since the log was last shipped is in no repository. */
function logLoss({ backups, at }: WorldSeen): Loss | undefined {
  if (!backups || !('value' in backups)) return undefined;
  const { archiving } = backups.value;
  if (!archiving?.lastAt) return undefined;
  const ms = Math.max(0, Date.parse(at) - Date.parse(archiving.lastAt));
  const held = archiveTrouble(backups.value) === null ? '' : ', and the log waits';
  return { said: `what was written in the last ${roughly(ms)}${held}`, ms };
}

function counted(runs: number): string {
  return runs === 1 ? '1 run' : `${runs} runs`;
}
