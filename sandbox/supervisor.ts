import { Deserializer, serializeMethodCall, XmlRpcFault, type XmlRpcValue } from '@foxglove/xmlrpc';
import { Type, type Static } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { SwitchoverError, messageOf } from '../core/errors';
import { FLEET_PASSWORD_VARIABLE, FLEET_USER } from './environment';
import type { SharedAddresses } from './layout';
import type { Secrets } from './state';

/** What is used of what supervisord tells of a process. */
const ProgramInfo = Type.Object({
  name: Type.String(),
  statename: Type.Union(
    (['STOPPED', 'STARTING', 'RUNNING', 'BACKOFF', 'STOPPING', 'EXITED', 'FATAL', 'UNKNOWN'] as const).map(
      (state) => Type.Literal(state),
    ),
  ),
  /** 0 when there is none. */
  pid: Type.Integer(),
  /** Time of the last start by supervisord's clock, and what that shows now; Unix seconds. */
  start: Type.Integer(),
  now: Type.Integer(),
});
export type ProgramInfo = Static<typeof ProgramInfo>;
export type ProgramState = ProgramInfo['statename'];

export type Signal = 'KILL' | 'STOP' | 'CONT';

/** How long to wait before a supervisor counts as gone, ms. */
const ANSWER_MS = 1_000;

const NOT_RUNNING = 70;
const ALREADY_STARTED = 60;
const TIMEOUT_MS = 5_000;

/**
 * The sandbox's process supervisor over XML-RPC. Calls fail with SANDBOX, saying what was asked of which program.
 * The package's own client has no time-out, so only its wire format is used.
 */
export class Supervisor {
  private readonly headers: Record<string, string>;

  constructor(
    private readonly url: string,
    password: string,
  ) {
    const authorization = `Basic ${Buffer.from(`${FLEET_USER}:${password}`).toString('base64')}`;
    this.headers = { 'content-type': 'text/xml', authorization };
  }

  /** Whether it answers, within 1 s. */
  async answers(): Promise<boolean> {
    return this.call('getState', [], { timeoutMs: ANSWER_MS }).then(
      () => true,
      () => false,
    );
  }

  /** Every program it knows. */
  async list(): Promise<ProgramInfo[]> {
    return Value.Parse(Type.Array(ProgramInfo), await this.call('getAllProcessInfo', []));
  }

  /** One program. */
  async info(program: string): Promise<ProgramInfo> {
    return Value.Parse(ProgramInfo, await this.call('getProcessInfo', [program]));
  }

  /** Starts a program and returns at once; does nothing when it already runs. */
  async start(program: string): Promise<void> {
    await this.call('startProcess', [program, false], { expected: ALREADY_STARTED });
  }

  /** Asks a program to end, and does not start it again; does nothing when it does not run. Returns at once. */
  async end(program: string): Promise<void> {
    await this.call('stopProcess', [program, false], { expected: NOT_RUNNING });
  }

  /** Signals a program. @returns false when it does not run. */
  async signal(program: string, signal: Signal): Promise<boolean> {
    return (await this.call('signalProcess', [program, signal], { expected: NOT_RUNNING })) !== undefined;
  }

  /** @returns undefined where the call failed with the fault code `expected` */
  private async call(
    method: string,
    params: (string | boolean)[],
    { expected, timeoutMs = TIMEOUT_MS }: { expected?: number; timeoutMs?: number } = {},
  ): Promise<XmlRpcValue> {
    const body = serializeMethodCall(`supervisor.${method}`, params);
    try {
      const request = { method: 'POST', headers: this.headers, body, signal: AbortSignal.timeout(timeoutMs) };
      const response = await fetch(this.url, request);
      if (!response.ok) throw new Error(`HTTP ${response.status}`);
      return await new Deserializer().deserializeMethodResponse(await response.text());
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
