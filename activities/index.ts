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
import { monitorActivities } from './monitor';
import { nodeActs } from './node/acts';
import { Assessor } from './node/assess';
import { nodeDrill } from './node/drill';
import { nodeLooks } from './node/looks';
import { nodeWithdrawal } from './node/withdraw';
import { regionData } from './region/data';
import { regionForming } from './region/form';
import { regionLeaving } from './region/leave';
import { regionVantage } from './region/vantage';
import { regionWorld } from './region/world';
import { databaseActs } from './database/acts';
import { databaseLooks } from './database/looks';
import { databaseRestart } from './database/restart';
import { databaseSalvage } from './database/salvage';
import { databaseSwitch } from './database/switch';
import { dnsLooks } from './dns/looks';
import { dnsTraffic } from './dns/traffic';
import { registryActs } from './registry/acts';
import { registryLooks } from './registry/looks';
import { sessionActs } from './sessions/acts';
import { sessionLooks } from './sessions/looks';
import { weightActs } from './sessions/weights';
import { zoneLeaving } from './zone/leave';
import { zoneReturn } from './zone/return';

/** All activities, over the given systems: the only place where they are put together. */
export function createActivities(deps: Deps) {
  const assessor = new Assessor(deps);
  const nodes = { ...nodeLooks(deps, assessor), ...nodeActs(deps, assessor), ...nodeWithdrawal(deps) };
  return {
    ...engineActivities(deps),
    ...coordinatorActivities(deps, assessor),
    ...monitorActivities(deps),
    ...nodes,
    ...nodeDrill(deps),
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
    ...sessionLooks(deps),
    ...sessionActs(deps),
    ...weightActs(deps),
    ...zoneLeaving(deps, assessor, nodes),
    ...zoneReturn(deps, assessor, nodes),
    ...regionData(deps),
    ...regionForming(deps, nodes),
    ...regionLeaving(deps),
    ...regionVantage(deps),
    ...regionWorld(deps),
  };
}

export type Activities = ReturnType<typeof createActivities>;
