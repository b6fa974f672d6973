import { join, resolve } from 'node:path';
import { Type, type Static } from '@sinclair/typebox';
import { SwitchoverError } from '../core/errors';
import { describe, problems } from '../core/schema';
import { FIRST_SPARE, MAX_BLOCK, placesOf } from './layout';

/** What a sandbox consists of. All but `workers`, `server` and `monitoring` is settled by its first `up`. */
const SettingsSchema = Type.Object(
  {
    /** Added to the second octet of every address, so that several sandboxes live side by side. */
    block: Type.Integer({ minimum: 0, maximum: MAX_BLOCK, examples: [0] }),
    nodesPerZone: Type.Integer({ minimum: 1, maximum: FIRST_SPARE - 1, examples: [2] }),
    /** Nodes per zone that are installed but stopped. */
    sparesPerZone: Type.Integer({ minimum: 0, maximum: 100, examples: [1] }),
    /** In how many regions, in the order of their addresses, a worker runs. */
    workers: Type.Integer({ minimum: 0, maximum: placesOf({ recovery: true }).length, examples: [2] }),
    /** A standby region of half the size and a cold site, for when regions are lost. They take two more addresses' second octets. */
    recovery: Type.Boolean(),
    server: Type.Boolean(),
    /** Prometheus and Alertmanager. */
    monitoring: Type.Boolean(),
    /** PostgreSQL under Patroni. */
    database: Type.Boolean(),
    /** Patroni's ttl / loop_wait / retry_timeout, s: how soon a silent primary is succeeded. */
    patroni: Type.String({ pattern: '^\\d+/\\d+/\\d+$', examples: ['5/1/2'] }),
    /** Whether a commit is acknowledged only once a second member has it. */
    synchronous: Type.Boolean(),
    /** Backups of the database by pgBackRest, with continuous archiving; only where there is a `database`. */
    backups: Type.Boolean(),
    /** Three Redis under three Sentinels as the session store, instead of one Redis. */
    sentinel: Type.Boolean(),
    /** After so long without an answer a Sentinel holds a member for down, ms. */
    sentinelDownAfter: Type.Integer({ minimum: 1, examples: [5_000] }),
    /** An emulator of Route 53 and a nameserver that answers from its records. */
    dns: Type.Boolean(),
    /** How long clients may keep an answer of the nameserver, s. */
    dnsTtl: Type.Integer({ minimum: 1, examples: [30] }),
    /** Health checks of the name's record sets: interval / checks in a row that turn the verdict. Route 53's own are 10s or 30s. */
    dnsChecks: Type.String({ pattern: '^\\d+(ms|s)/([1-9]|10)$', examples: ['10s/3'] }),
    /** HAProxy's own health checks: interval / failures until a node is down. */
    checks: Type.String({ pattern: '^\\d+(ms|s)/\\d+$', examples: ['2s/3'] }),
    /** After so long without an answer one of the monitor's probes of a node has failed. */
    probeTimeout: Type.String({ pattern: '^\\d+(ms|s)$', examples: ['400ms'] }),
    /** Whether one refused connection already takes a node out, ahead of the checks. */
    haproxyObserve: Type.Boolean(),
    /** The release 1.3.0 of the nodes begins to fail after it has served for so long, s. */
    failsAfter: Type.Integer({ minimum: 0, examples: [30] }),
    /** Whether automation asks a person before it repeats itself or does too much at once; benchmarks do without. */
    limits: Type.Boolean(),
  },
  { additionalProperties: false },
);

export type Settings = Static<typeof SettingsSchema>;

/** What a caller may ask of `up`; what is left out keeps its value, or takes its default in a new sandbox. */
export interface SandboxOptions extends Partial<Settings> {
  /** State directory, see {@link stateDir}. */
  dir?: string;
}

export const DEFAULTS: Settings = {
  block: 0,
  nodesPerZone: 2,
  sparesPerZone: 1,
  workers: 2,
  recovery: false,
  server: true,
  monitoring: true,
  database: true,
  patroni: '5/1/2',
  synchronous: true,
  backups: true,
  sentinel: true,
  // Longer than a runbook needs, so that Sentinel is the net below it and does not run a race with it.
  sentinelDownAfter: 5_000,
  dns: true,
  dnsTtl: 30,
  // As fast as Route 53's are: the net below the runbooks.
  dnsChecks: '10s/3',
  checks: '2s/3',
  probeTimeout: '400ms',
  haproxyObserve: true,
  failsAfter: 30,
  limits: true,
};

/** May be changed by an `up` on a sandbox that exists: more parts are started, none is stopped. */
const CHANGEABLE: readonly (keyof Settings)[] = ['workers', 'server', 'monitoring'];

/** Where a person's sandboxes are kept. Not under a home directory, which the user `postgres` could not enter. */
export const HOME = `/var/tmp/switchover-${process.getuid?.()}`;

/** Where a sandbox keeps its files: `options.dir`, else `SWITCHOVER_SANDBOX_DIR`, else a directory a block. */
export function stateDir(options: SandboxOptions): string {
  const given = options.dir ?? process.env['SWITCHOVER_SANDBOX_DIR'];
  return resolve(given ?? join(HOME, `block-${options.block ?? DEFAULTS.block}`));
}

/**
 * The settings an `up` works with: those asked for, over those `saved` by an earlier one, over the defaults.
 * @throws BAD_INPUT naming every option that is wrong or does not fit the sandbox that is there.
 */
export function settle(options: SandboxOptions, saved: Settings | undefined, dir: string): Settings {
  const { dir: _, ...asked } = options;
  const given = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined));
  const settings = { ...DEFAULTS, ...saved, ...given };
  const wrong = problems(SettingsSchema, settings, 'sandbox');
  if (wrong.length > 0) throw new SwitchoverError('BAD_INPUT', describe(wrong), wrong);
  if (saved) refuseChanges(settings, saved, dir);
  return settings;
}

function refuseChanges(settings: Settings, saved: Settings, dir: string): void {
  const changed = (Object.keys(saved) as (keyof Settings)[])
    .filter((key) => !CHANGEABLE.includes(key) && settings[key] !== saved[key])
    .map((key) => `${key} is ${saved[key]}, asked for ${settings[key]}`);
  if (changed.length === 0) return;
  throw new SwitchoverError(
    'BAD_INPUT',
    `The sandbox in ${dir} was made with other options: ${changed.join('; ')}. End it first (\`switchover sandbox down\`), or choose another --block.`,
  );
}
