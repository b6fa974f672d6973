import { setTimeout as pause } from 'node:timers/promises';
import { XmlRpcClient, XmlRpcFault, type XmlRpcValue } from '@foxglove/xmlrpc';
import { SwitchoverError, messageOf } from '../core/errors';
import { FLEET_PASSWORD_VARIABLE, FLEET_USER } from './environment';
import type { SharedAddresses } from './layout';
import type { Secrets } from './state';

/** supervisord's states of a process. */
export type ProgramState =
  'STOPPED' | 'STARTING' | 'RUNNING' | 'BACKOFF' | 'STOPPING' | 'EXITED' | 'FATAL' | 'UNKNOWN';

/** A process as supervisord tells of it. */
export interface ProgramInfo {
  name: string;
  statename: ProgramState;
  /** 0 when there is none. */
  pid: number;
  /** Unix time of the last start, s. */
  start: number;
  /** supervisord's own clock, Unix time, s. */
  now: number;
  description: string;
}

export type Signal = 'KILL' | 'STOP' | 'CONT';

/** How long to wait before a supervisor counts as gone, ms. */
export const ANSWER_MS = 1_000;

const NOT_RUNNING = 70;
const ALREADY_STARTED = 60;
const TIMEOUT_MS = 5_000;

/** The sandbox's process supervisor over XML-RPC. Calls fail with SANDBOX saying what was asked of which program. */
export class Supervisor {
  private readonly client: XmlRpcClient;

  constructor(
    private readonly url: string,
    password: string,
  ) {
    const authorization = `Basic ${Buffer.from(`${FLEET_USER}:${password}`).toString('base64')}`;
    this.client = new XmlRpcClient(url, { headers: { authorization } });
  }

  /** Whether it answers, within `timeoutMs`. */
  async answers(timeoutMs: number): Promise<boolean> {
    const call = Promise.race([this.client.methodCall('supervisor.getState'), refusalAfter(timeoutMs)]);
    return call.then(
      () => true,
      () => false,
    );
  }

  /** Every program it knows. */
  async list(): Promise<ProgramInfo[]> {
    return (await this.call('supervisor.getAllProcessInfo')) as unknown as ProgramInfo[];
  }

  /** One program. */
  async info(program: string): Promise<ProgramInfo> {
    return (await this.call('supervisor.getProcessInfo', [program])) as unknown as ProgramInfo;
  }

  /** Starts a program and returns at once; does nothing when it already runs. */
  async start(program: string): Promise<void> {
    await this.call('supervisor.startProcess', [program, false], ALREADY_STARTED);
  }

  /** Signals a program. @returns false when it does not run. */
  async signal(program: string, signal: Signal): Promise<boolean> {
    return (await this.call('supervisor.signalProcess', [program, signal], NOT_RUNNING)) !== undefined;
  }

  /** @returns undefined where the call failed with the fault code `expected` */
  private async call(
    method: string,
    params: (string | boolean)[] = [],
    expected?: number,
  ): Promise<XmlRpcValue> {
    try {
      return await Promise.race([this.client.methodCall(method, params), refusalAfter(TIMEOUT_MS)]);
    } catch (error) {
      if (expected !== undefined && error instanceof XmlRpcFault && error.faultCode === expected)
        return undefined;
      const message = `supervisord at ${this.url}: ${method}(${params.join(', ')}) failed: ${messageOf(error)}`;
      throw new SwitchoverError('SANDBOX', message);
    }
  }
}

/** The supervisor of a sandbox, whether it runs or not. */
export function supervisorOf(at: SharedAddresses, secrets: Secrets): Supervisor {
  return new Supervisor(`http://${at.supervisor}/RPC2`, secrets[FLEET_PASSWORD_VARIABLE] ?? '');
}

async function refusalAfter(ms: number): Promise<never> {
  await pause(ms, undefined, { ref: false });
  throw new Error(`no answer within ${ms} ms`);
}
