import { Command, Option } from 'commander';
import { count, duration, countOrNone, share } from './arguments';
import { lazily, type Finish } from './lazy';

/** `switchover sandbox …`: the fleet of real parts on this machine's loopback addresses. */
export function sandboxCommand(finish: Finish): Command {
  const sandbox = new Command('sandbox')
    .description('a whole fleet of real parts on this machine: up, down, status, break, heal')
    .usage('up|down|status|break|heal [options]');
  upCommand(sandbox, finish);
  sandbox
    .command('down')
    .description('end it and remove everything it made')
    .addOption(block())
    .action(lazily(finish, async (options) => (await import('./commands/sandbox.js')).down(options)));
  sandbox
    .command('status')
    .description('what runs of it; exit status 1 where something should and does not')
    .addOption(block())
    .option('--json', 'as JSON')
    .action(lazily(finish, async (options) => (await import('./commands/sandbox.js')).status(options)));
  faultCommands(sandbox, finish);
  return sandbox;
}

function upCommand(sandbox: Command, finish: Finish): void {
  sandbox
    .command('up')
    .description('bring it up, or what is missing of it')
    .addOption(block())
    .option('--nodes-per-zone <count>', 'MCP nodes in each of the nine zones', count)
    .option('--spares-per-zone <count>', 'of them installed but stopped', countOrNone)
    .option('--workers <count>', 'in how many regions a worker runs', countOrNone)
    .option('--recovery', 'with a standby region and a cold site, for when regions are lost')
    .option('--no-server', 'without the API server')
    .option('--no-monitoring', 'without Prometheus and Alertmanager')
    .option('--no-database', 'without PostgreSQL under Patroni')
    .option('--no-backups', 'without backups of the database')
    .option('--no-sentinel', 'one Redis as the session store instead of three under Sentinel')
    .option('--no-dns', 'without the name of the fleet: no Route 53 emulator, no nameserver')
    .option('--checks <interval/failures>', "HAProxy's own health checks, e.g. 500ms/2")
    .option('--json', 'its addresses, alone on standard output')
    .action(lazily(finish, async (options) => (await import('./commands/sandbox.js')).up(options)));
}

function faultCommands(sandbox: Command, finish: Finish): void {
  const target =
    'a node such as us-east-1/a/n1, zone/us-east-1/a, region/us-east-1, way/eu-central-1/us-east-1, lb/us-east-1, registry/primary, database/primary|replica|etcd, redis/primary|replica, worker/us-east-1, or temporal';
  sandbox
    .command('break')
    .description('inject a real fault')
    .argument('<target>', target)
    .argument(
      '[fault]',
      'kill, hang, mcp, … for a node; kill, hang, partition, … for the database and Redis; kill, hang for a zone, lb or the registry; kill, partition for a region; cut for a way; kill for the others',
      'kill',
    )
    .addOption(block())
    .option('--latency <duration>', 'what the fault "latency" adds to each request', duration)
    .option('--share <share>', 'how much of a zone is broken, e.g. 0.75; else all of it', share)
    .action(
      lazily(finish, async (at, fault, options) =>
        (await import('./commands/sandbox.js')).breakTarget(at, fault, options),
      ),
    );
  sandbox
    .command('heal')
    .description('take every fault away again')
    .argument('<target>', target)
    .addOption(block())
    .option('--restart', 'start a node that was killed, too')
    .action(
      lazily(finish, async (at, options) => (await import('./commands/sandbox.js')).healTarget(at, options)),
    );
}

/** Which sandbox a command is about. */
export function block(): Option {
  return new Option('--block <number>', 'which sandbox, where several live side by side').argParser(
    countOrNone,
  );
}
