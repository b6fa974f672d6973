import { Deserializer, serializeMethodCall, XmlRpcFault, type XmlRpcValue } from '@foxglove/xmlrpc';
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

/** A call of the supervisor's API about one program, e.g. `stopProcess` with arguments after the program's name. */
export interface SupervisorCall {
  method: string;
  program: string;
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
    const what = `supervisor ${url} on ${method} ${program}`;
    const body = serializeMethodCall(`supervisor.${method}`, [program, ...args]);
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers,
        body,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      if (!response.ok) throw httpError(response.status, what, user);
      return await new Deserializer().deserializeMethodResponse(await response.text());
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
