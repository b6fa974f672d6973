import type { Config } from './config';
import { SwitchoverError } from './errors';
import { parseScope } from './scope';
import { findNode, findZone, regionConfig } from './topology';

/** Returns where the scope names something of the environment. @throws UNKNOWN_TARGET */
export function checkTarget(config: Config, scope: string): void {
  const { kind, path = [] } = parseScope(scope) ?? {};
  switch (kind) {
    case 'node':
      return void findNode(config, path.join('/'));
    case 'zone':
      return void findZone(config, path.join('/'));
    case 'registry':
    case 'database':
    case 'backups':
      return requireSystem(config, kind);
    case 'control':
    case 'members':
      return requireSystem(config, 'database');
    case 'drill':
      return;
    case 'redis':
      return requireSentinels(config);
    default:
      if (path[0] !== undefined) regionConfig(config, path[0]);
  }
}

function requireSystem(config: Config, kind: 'registry' | 'database' | 'backups'): void {
  if (config[kind]) return;
  throw new SwitchoverError('UNKNOWN_TARGET', `environment ${config.environment} has no ${kind}`);
}

function requireSentinels({ environment, sessions }: Config): void {
  if (sessions.sentinel) return;
  throw new SwitchoverError('UNKNOWN_TARGET', `environment ${environment} has no Sentinels`);
}
