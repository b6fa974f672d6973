/** What a client can start: the runbooks and the two entities that keep watch. Nothing else may be exported here. */
export { backupFull, backupIncremental, backupVerify, restorePointInTime } from './backup';
export { coordinator } from './coordinator';
export { lbFailover } from './lb-failover';
export { monitor } from './monitor';
export { clusterFormation } from './cluster-formation';
export { addNode, decommissionNode, replaceNode } from './fleet';
export { nodeFailover } from './node-failover';
export { rebalance } from './rebalance';
export { controlPlaneRestart, databaseFailover, fullOutage, partitionResponse } from './database-failover';
export { databaseSwitchover } from './database-switchover';
export { redisFailover } from './redis-failover';
export { redisSwitchover } from './redis-switchover';
export { regionEvacuation, regionFailback, regionFailover } from './region-failover';
export { registryFailover } from './registry-failover';
export { restoreSwapIn } from './restore-swap-in';
export { sessionMigration } from './session-migration';
export { zoneFailback, zoneFailover } from './zone-failover';
