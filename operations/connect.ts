import { readFileSync } from 'node:fs';
import {
  Client,
  Connection,
  defaultGrpcRetryOptions,
  makeGrpcRetryInterceptor,
  type ConnectionOptions,
} from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { parse } from 'yaml';
import { ConfigSchema, type Config } from '../core/config';
import { SwitchoverError, messageOf } from '../core/errors';
import type { Runbook } from '../core/runbook';
import { scheduleProblems } from '../core/schedules';
import { describe, problems } from '../core/schema';
import catalogueJson from '../runbooks/catalogue.json';

type Interceptor = NonNullable<ConnectionOptions['interceptors']>[number];

/** Every runbook, as declared in `runbooks/*.yaml`. */
export const catalogue = catalogueJson as unknown as readonly Runbook[];

/**
 * Reads and checks the environment file.
 * @param path default: `SWITCHOVER_CONFIG`, else `switchover.yaml` in the working folder.
 * @throws BAD_CONFIG naming every problem with its path and an example; `details` holds them as a list.
 */
export function loadConfig(path = process.env['SWITCHOVER_CONFIG'] ?? 'switchover.yaml'): Config {
  let parsed: unknown;
  try {
    parsed = parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new SwitchoverError('BAD_CONFIG', `${path}: cannot be read: ${messageOf(error)}`);
  }
  const shape = problems(ConfigSchema, parsed);
  const found = shape.length > 0 ? shape : scheduleProblems(catalogue, (parsed as Config).schedules);
  if (found.length === 0) return parsed as Config;
  throw new SwitchoverError('BAD_CONFIG', `${path}: ${found.length} problem(s): ${describe(found)}`, found);
}

/**
 * Address, namespace, TLS and API key by the standard Temporal profile (TEMPORAL_ADDRESS, temporal.toml …).
 * @throws BAD_CONFIG where the address is none
 */
export function temporalOptions(): { connectionOptions: ConnectionOptions; namespace: string } {
  const { connectionOptions, namespace } = loadClientConnectConfig();
  const { address } = connectionOptions;
  if (address !== undefined && !/^(?!https?:)\S+$/.test(address))
    throw new SwitchoverError(
      'BAD_CONFIG',
      `TEMPORAL_ADDRESS (or the Temporal profile): "${address}" is not host:port, for example localhost:7233`,
    );
  return { connectionOptions, namespace: namespace ?? 'default' };
}

/** What the server says where a worker has just died over the coordinator's work, or it begins a new history. */
const TASK_TROUBLE = /workflow task (failure|in failed state)/i;

/** A message that meets the coordinator at a bad moment is sent again after some 100 ms; Temporal's own way takes 2 s. */
function soon(): Interceptor {
  const usual = defaultGrpcRetryOptions({ initialIntervalMs: () => 50 });
  return makeGrpcRetryInterceptor({
    ...usual,
    retryableDecider: (attempt, status) =>
      usual.retryableDecider(attempt, status) || (attempt < 10 && TASK_TROUBLE.test(status.details)),
  });
}

/** The last try of a call is so much earlier than its deadline, ms. */
const MARGIN_MS = 50;

/** Tries again as usual, but never past a call's deadline: of a client that is closed then nothing may be left that throws. */
export function inTime(): Interceptor {
  const usual = defaultGrpcRetryOptions();
  return (options, nextCall) => {
    const { deadline = Infinity } = options;
    const left = () => Number(deadline) - Date.now() - MARGIN_MS;
    const retry = makeGrpcRetryInterceptor({
      retryableDecider: (attempt, status) => left() > 0 && usual.retryableDecider(attempt, status),
      delayFunction: (attempt, status) => Math.min(usual.delayFunction(attempt, status), Math.max(0, left())),
    });
    return retry(options, nextCall);
  };
}

/**
 * A client of the Temporal server. The caller closes `client.connection`. `address`: default the profile's.
 * @throws TEMPORAL_UNREACHABLE after 5 s.
 */
export async function connect(address?: string): Promise<Client> {
  const { connectionOptions: profile, namespace } = temporalOptions();
  const connectionOptions = address === undefined ? profile : { address };
  try {
    const connection = await Connection.connect({
      ...connectionOptions,
      connectTimeout: '5s',
      interceptors: [soon()],
    });
    return new Client({ connection, namespace });
  } catch (error) {
    const at = connectionOptions.address ?? 'localhost:7233';
    throw new SwitchoverError(
      'TEMPORAL_UNREACHABLE',
      `no Temporal server answers at ${at}: ${messageOf(error)}`,
    );
  }
}
