import { appendFileSync } from 'node:fs';
import { NativeConnection } from '@temporalio/worker';
import type { Deps } from '../../activities/deps';
import { connect, loadConfig, temporalOptions } from '../../operations';
import { prebuilt } from '../../workers/bundle';
import { compose } from '../../workers/compose';
import { createRegionWorker, createWorker } from '../../workers/worker';

/**
 * A worker over the real systems, without the monitor, that kills itself with SIGKILL at one point. Entry of a process;
 * `DEATH`: the point, as `fleet.start begin` or `fleet.start end`, or empty; `CALLS`: file to which every call it made
 * to a system goes, one {@link Call} a line, once it is answered; `REGION`: where it stands, or empty; `ONLY`: set where it does
 * nothing but what has to be done from there; `LIE`: set where every node looks well to it.
 */
async function main(): Promise<void> {
  const { connectionOptions, namespace } = temporalOptions();
  const connection = await NativeConnection.connect({ address: connectionOptions.address ?? '' });
  const temporal = await connect();
  const here = process.env['REGION'] || undefined;
  const real = compose(loadConfig(), { temporal, connection, namespace }, undefined, here);
  const deps = mortal(process.env['LIE'] ? lying(real) : real);
  const workers = [
    ...(process.env['ONLY'] ? [] : [createWorker(deps, connection, namespace, prebuilt())]),
    ...(here ? [createRegionWorker(deps, connection, namespace, here)] : []),
  ];
  await Promise.all((await Promise.all(workers)).map((worker) => worker.run()));
}

/** Every node looks well to it, so its runs say that there is nothing to heal. */
function lying(deps: Deps): Deps {
  const well = async () => ({ ok: true, said: '200 healthy', ms: 1 });
  return {
    ...deps,
    prober: { ...deps.prober, health: well, mcp: well },
    region: (name) => {
      const systems = deps.region(name);
      const { loadBalancer } = systems;
      const members = async () => (await loadBalancer.members()).map((one) => ({ ...one, up: true }));
      return { ...systems, loadBalancer: { ...loadBalancer, members } };
    },
  };
}

/** A call to a system that was answered. */
export interface Call {
  call: string;
  args: unknown[];
}

function mortal(deps: Deps): Deps {
  const { client, registry, database, cache, backups, dns } = deps;
  client.workflow.start = watched('client', { start: client.workflow.start.bind(client.workflow) }).start;
  return {
    ...deps,
    client,
    sessions: watched('sessions', deps.sessions),
    prober: watched('prober', deps.prober),
    dns: dns && watched('dns', dns),
    registry: registry && {
      registry: watched('registry', registry.registry),
      fleet: watched('fleet', registry.fleet),
    },
    database: database && {
      database: watched('database', database.database),
      fleet: watched('fleet', database.fleet),
    },
    cache: cache && {
      cache: watched('cache', cache.cache),
      fleet: watched('fleet', cache.fleet),
    },
    backups: backups && {
      backups: watched('backups', backups.backups),
      scratch: watched('scratch', backups.scratch),
    },
    region: (name) => {
      const { loadBalancer, fleet, releases } = deps.region(name);
      return {
        loadBalancer: watched('loadBalancer', loadBalancer),
        fleet: watched('fleet', fleet),
        releases: watched('releases', releases),
      };
    },
  };
}

/** The system with every call told, and with the death at one of them. */
function watched<System extends object>(name: string, system: System): System {
  return new Proxy(system, {
    get(target, key) {
      const method: unknown = Reflect.get(target, key);
      if (typeof method !== 'function') return method;
      const call = `${name}.${String(key)}`;
      return async (...args: unknown[]) => {
        die(`${call} begin`);
        const answer: unknown = await method.apply(target, args);
        appendFileSync(process.env['CALLS']!, `${JSON.stringify({ call, args } satisfies Call)}\n`);
        die(`${call} end`);
        return answer;
      };
    },
  });
}

function die(point: string): void {
  if (point === process.env['DEATH']) process.kill(process.pid, 'SIGKILL');
}

if (require.main === module) void main();
