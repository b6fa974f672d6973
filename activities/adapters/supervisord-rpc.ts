import { Deserializer, serializeMethodCall, XmlRpcFault, type XmlRpcValue } from '@foxglove/xmlrpc';
import { request } from 'undici';
import type { SupervisordConfig } from '../../core/config';
import { messageOf, SwitchoverError } from '../../core/errors';
import { trouble } from './trouble';

/** Longest wait for an answer, ms; none of the calls used waits for a process. */
const TIMEOUT_MS = 1_000;

/** The faults that callers tell apart (supervisor/xmlrpc.py). */
export const FAULT = {
  SHUTDOWN_STATE: 6,
  NO_FILE: 20,
  FAILED: 30,
  SPAWN_ERROR: 50,
  ALREADY_STARTED: 60,
  NOT_RUNNING: 70,
} as const;

/** A call of the supervisor's API, mostly about one program: `stopProcess` with arguments after the program's name. */
export interface SupervisorCall {
  method: string;
  program?: string;
  args?: XmlRpcValue[];
  /** Faults that are answered with undefined instead of an error. */
  tolerated?: readonly number[];
}

/**
 * supervisord's XML-RPC API. The package's own client has no time-out, so only its wire format is used.
 *
 * @throws FLEET_UNREACHABLE within 1 s, also while the supervisor shuts down; FLEET_REFUSED on any other fault
 * and on a wrong user or password.
 */
export function supervisorCalls({ url, user }: SupervisordConfig, password: string) {
  const headers = {
    'content-type': 'text/xml',
    authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
  };
  return async ({ method, program, args = [], tolerated = [] }: SupervisorCall): Promise<unknown> => {
    const about = program === undefined ? [] : [program];
    const what = ['supervisor', url, 'on', method, ...about].join(' ');
    const body = serializeMethodCall(`supervisor.${method}`, [...about, ...args]);
    try {
      const { statusCode, body: answer } = await request(url, {
        method: 'POST',
        headers,
        body,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const text = await answer.text();
      if (statusCode !== 200) throw httpError(statusCode, what, user);
      return await new Deserializer().deserializeMethodResponse(text);
    } catch (error) {
      if (error instanceof SwitchoverError) throw error;
      if (!(error instanceof XmlRpcFault))
        throw new SwitchoverError('FLEET_UNREACHABLE', `${what}: ${trouble(error, TIMEOUT_MS)}`);
      if (tolerated.includes(error.faultCode ?? 0)) return undefined;
      const code = error.faultCode === FAULT.SHUTDOWN_STATE ? 'FLEET_UNREACHABLE' : 'FLEET_REFUSED';
      throw new SwitchoverError(code, `${what}: ${error.faultString ?? messageOf(error)}`);
    }
  };
}

function httpError(status: number, what: string, user: string): SwitchoverError {
  return status === 401
    ? new SwitchoverError(
        'FLEET_REFUSED',
        `${what}: HTTP 401, the password for user ${user} is not the supervisor's`,
      )
    : new SwitchoverError('FLEET_UNREACHABLE', `${what}: HTTP ${status}`);
}
