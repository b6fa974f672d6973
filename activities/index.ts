import { ahead } from './ahead';
import { backupActs } from './backup/acts';
import { backupLooks } from './backup/looks';
import { backupCopies } from './backup/copies';
import { backupSwap } from './backup/swap';
import { balancerActs } from './balancer/acts';
import { balancerLooks } from './balancer/looks';
import { cacheActs } from './cache/acts';
import { cacheHandOver } from './cache/hand-over';
import { cacheLooks } from './cache/looks';
import { cacheSentinels } from './cache/sentinels';
import { coordinatorActivities } from './coordinator';
import type { Deps } from './deps';
import { engineActivities } from './engine';
import { journalKeeping } from './journal/keep';
import { monitorActivities } from './monitor';
import { wayWatching } from './monitor/ways';
import { nodeActs } from './node/acts';
import { nodeDrill } from './node/drill';
import { nodeExperiment } from './node/experiment';
import { nodeLooks } from './node/looks';
import { nodeWithdrawal } from './node/withdraw';
import { readinessActivities } from './readiness';
import { regionData } from './region/data';
import { regionForming } from './region/form';
import { regionLeaving } from './region/leave';
import { regionVantage } from './region/vantage';
import { regionWorld } from './region/world';
import { recoveryRestore } from './recovery/restore';
import { recoverySite } from './recovery/site';
import { recoveryStores } from './recovery/stores';
import { recoverySurvivors } from './recovery/survivor';
import { recoveryWorld } from './recovery/world';
import { databaseActs } from './database/acts';
import { databaseLooks } from './database/looks';
import { databaseRestart } from './database/restart';
import { databaseSalvage } from './database/salvage';
import { databaseSwitch } from './database/switch';
import { dnsLooks } from './dns/looks';
import { dnsTraffic } from './dns/traffic';
import { releaseActs } from './release/acts';
import { releaseLooks } from './release/looks';
import { releaseShift } from './release/shift';
import { releaseWatch } from './release/watch';
import { registryActs } from './registry/acts';
import { registryLooks } from './registry/looks';
import { scheduleActivities } from './schedules';
import { sessionActs } from './sessions/acts';
import { sessionLooks } from './sessions/looks';
import { weightActs } from './sessions/weights';
import { zoneLeaving } from './zone/leave';
import { zoneReturn } from './zone/return';

/** All activities, over the given systems: the only place where they are put together. */
export function createActivities(deps: Deps) {
  const nodes = { ...nodeLooks(deps), ...nodeActs(deps), ...nodeWithdrawal(deps) };
  const ways = wayWatching(deps);
  const sessions = { ...sessionLooks(deps), ...sessionActs(deps) };
  const isolation = ahead(nodes.isolateFailedNode);
  return {
    ...engineActivities(deps),
    ...coordinatorActivities(deps, isolation.begin),
    ...monitorActivities(deps),
    ...ways.activities,
    ...journalKeeping(deps),
    ...readinessActivities(deps),
    ...scheduleActivities(deps),
    ...nodes,
    isolateFailedNode: isolation.act,
    ...nodeDrill(deps),
    ...nodeExperiment(deps),
    ...backupActs(deps),
    ...backupCopies(deps),
    ...backupLooks(deps),
    ...backupSwap(deps),
    ...balancerLooks(deps),
    ...balancerActs(deps),
    ...cacheActs(deps),
    ...cacheHandOver(deps),
    ...cacheLooks(deps),
    ...cacheSentinels(deps),
    ...databaseActs(deps),
    ...databaseLooks(deps),
    ...databaseRestart(deps),
    ...databaseSalvage(deps),
    ...databaseSwitch(deps),
    ...dnsLooks(deps),
    ...dnsTraffic(deps),
    ...registryActs(deps),
    ...registryLooks(deps),
    ...releaseActs(deps, { ...nodes, ...sessions }),
    ...releaseLooks(deps),
    ...releaseShift(deps),
    ...releaseWatch(deps),
    ...sessions,
    ...weightActs(deps),
    ...zoneLeaving(deps, nodes),
    ...zoneReturn(deps, nodes),
    ...regionData(deps),
    ...regionForming(deps, nodes),
    ...regionLeaving(deps),
    ...regionVantage(deps, ways.seen),
    ...regionWorld(deps),
    ...recoveryRestore(deps),
    ...recoverySite(deps),
    ...recoveryStores(deps),
    ...recoverySurvivors(deps),
    ...recoveryWorld(deps),
  };
}

export type Activities = ReturnType<typeof createActivities>;
