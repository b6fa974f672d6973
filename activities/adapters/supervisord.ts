import { setTimeout as delay } from 'node:timers/promises';
import { Type, type Static } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import type { SupervisordConfig } from '../../core/config';
import { SwitchoverError } from '../../core/errors';
import type { Fleet, ProcessStatus, Work } from '../ports';
import { FAULT, supervisorCalls } from './supervisord-rpc';

/** Time a process has to be running, ms; more than supervisord's default `startsecs` of 1 s, less than F1's 5 s. */
const START_MS = 4_000;
/** Time a process has to obey the polite signal, ms. A hung one never does. */
const GRACE_MS = 1_000;
/** Time a killed process has to be gone, ms. */
const KILL_MS = 1_000;
/** Time a program may take that ends by itself, ms. */
const RUN_MS = 10_000;
/**
 * Time between two looks at a process that is starting, stopping or at work, ms. A look costs {@link LOOK_MS} of both sides' processors, and
 * its end is seen half of that time too late: what both take together from work of t ms is least at √(2 · t · cost).
 */
const POLL_MS = 20;
const POLL_MOST_MS = 500;
const LOOK_MS = 2.5;

/** Time between two looks at what a program prints that is told on, ms. */
const TELL_MS = 1_000;

/** How much of a log is read, bytes, and how much of that is told, lines. */
const TAIL_BYTES = 1_000;
const TAIL_LINES = 3;

/** supervisord's process states. STOPPING: the process is still there. BACKOFF: it ended too soon, a next try follows. */
const STATES: Record<string, ProcessStatus['state']> = {
  STOPPED: 'stopped',
  STARTING: 'starting',
  RUNNING: 'running',
  BACKOFF: 'failed',
  STOPPING: 'running',
  EXITED: 'exited',
  FATAL: 'failed',
  UNKNOWN: 'failed',
};

/** States in which there is a process, or will be one again without anybody's doing. */
const ALIVE = ['STARTING', 'RUNNING', 'BACKOFF', 'STOPPING'];

/** What is used of the answer of `getProcessInfo`. */
const Info = Type.Object({
  statename: Type.String(),
  pid: Type.Integer(),
  /** Unix seconds, 0 for never. */
  start: Type.Integer(),
  exitstatus: Type.Integer(),
  description: Type.String(),
});
type Info = Static<typeof Info>;

/** What is used of the answer of `getAllProcessInfo`. */
const Names = Type.Array(Type.Object({ name: Type.String(), group: Type.String() }));

/**
 * supervisord 4 over XML-RPC (`[inet_http_server]` with user and password). A program that is not in a group of its
 * own name is called `group:name`.
 *
 * Traps:
 * - `start` returns after the program's `startsecs`: keep that at 0 for what runbooks restart, they prove health themselves.
 * - SIGKILL reaches the process that supervisord started, not its children: let a shell `exec` the real command.
 * - With `autorestart` the supervisor heals too; turn it off for what runbooks heal.
 *
 * @throws FLEET_UNREACHABLE; FLEET_REFUSED with the supervisor's own words, for a process that ends as it starts with the
 * end of its log too; VERIFY_FAILED when a process is neither started nor gone in time.
 */
export function supervisord(config: SupervisordConfig, password: string): Fleet {
  const call = supervisorCalls(config, password);

  const infoOf = async (program: string): Promise<Info> =>
    Value.Parse(Info, await call({ method: 'getProcessInfo', program }));

  /** The process as soon as it is not `still` so, or as it is when time is up. */
  const after = async (program: string, still: (info: Info) => boolean, timeoutMs: number): Promise<Info> => {
    const began = performance.now();
    for (;;) {
      const info = await infoOf(program);
      const passed = performance.now() - began;
      if (!still(info) || passed > timeoutMs) return info;
      await delay(Math.min(Math.max(POLL_MS, Math.sqrt(2 * passed * LOOK_MS)), POLL_MOST_MS));
    }
  };

  const tail = async (method: string, program: string, bytes = TAIL_BYTES): Promise<string[]> => {
    const tolerated = [FAULT.NO_FILE, FAULT.FAILED];
    const read = await call({ method, program, args: [-bytes, 0], tolerated });
    return typeof read === 'string' ? read.split('\n').filter((line) => line.trim() !== '') : [];
  };

  /** The last line that it printed, whole however long it is. */
  const lastLine = async (program: string): Promise<string> => {
    for (let [bytes, before] = [TAIL_BYTES, -1]; ; bytes *= 8) {
      const lines = await tail('readProcessStdoutLog', program, bytes);
      const last = lines.at(-1) ?? '';
      if (lines.length !== 1 || last.length === before) return last;
      before = last.length;
    }
  };

  const lastWords = async (program: string): Promise<string> => {
    for (const method of ['readProcessStderrLog', 'readProcessStdoutLog']) {
      const lines = await tail(method, program);
      if (lines.length > 0) return lines.slice(-TAIL_LINES).join(' | ');
    }
    return '';
  };

  const ending = async (program: string): Promise<string> => {
    const words = await lastWords(program);
    return words && `; its log ends: ${words}`;
  };

  /** Tells what it prints until it is called back. */
  const telling = (program: string, { tell }: Work): (() => void) => {
    const look = () => lastLine(program).then(tell, () => undefined); // the end is seen elsewhere
    const looks = setInterval(() => void look(), TELL_MS);
    return () => clearInterval(looks);
  };

  /** Starts it, and gives it its input where it was not running already. */
  const tellNew = async (program: string, input: string | undefined): Promise<void> => {
    const tolerated = [FAULT.ALREADY_STARTED, FAULT.SPAWN_ERROR];
    const started = await call({ method: 'startProcess', program, args: [false], tolerated });
    if (started !== true || input === undefined) return;
    const args = [`${input}\n`];
    await call({ method: 'sendProcessStdin', program, args, tolerated: [FAULT.NOT_RUNNING] });
  };

  const fleet: Fleet = {
    async programs() {
      return Value.Parse(Names, await call({ method: 'getAllProcessInfo' })).map(({ group, name }) =>
        group === name ? name : `${group}:${name}`,
      );
    },

    async status(program) {
      const info = await infoOf(program);
      return {
        state: STATES[info.statename] ?? 'failed',
        pid: info.pid,
        ...(info.start > 0 && { startedAt: new Date(info.start * 1_000).toISOString() }),
        description: describe(info),
      };
    },

    async start(program) {
      // supervisord takes a start of what is still stopping for done.
      if ((await infoOf(program)).statename === 'STOPPING') await fleet.stop(program);
      const tolerated = [FAULT.ALREADY_STARTED, FAULT.SPAWN_ERROR];
      await call({ method: 'startProcess', program, args: [false], tolerated });
      const info = await after(program, ({ statename }) => statename === 'STARTING', START_MS);
      if (info.statename === 'RUNNING') return;
      const code = info.statename === 'STARTING' ? 'VERIFY_FAILED' : 'FLEET_REFUSED';
      throw new SwitchoverError(code, `${program} did not start: ${describe(info)}${await ending(program)}`);
    },

    async begin(program, input) {
      await tellNew(program, input);
    },

    lastLine,

    async run(program, withinMs = RUN_MS, work) {
      await tellNew(program, work?.input);
      const hush = work && telling(program, work);
      const alive = ({ statename }: Info) => ALIVE.includes(statename);
      const info = await after(program, alive, withinMs).finally(hush);
      if (info.statename === 'EXITED' && info.exitstatus === 0) return lastLine(program);
      const said = await ending(program);
      const code = ALIVE.includes(info.statename) ? 'VERIFY_FAILED' : 'FLEET_REFUSED';
      throw new SwitchoverError(code, `${program} did not succeed: ${describe(info)}${said}`);
    },

    lastWords,

    async stop(program, graceMs = GRACE_MS) {
      const { pid } = await infoOf(program);
      await call({ method: 'stopProcess', program, args: [false], tolerated: [FAULT.NOT_RUNNING] });
      const alive = isProcess(pid);
      if (alive(await after(program, alive, graceMs))) await fleet.kill(program, pid);
    },

    async kill(program, pid) {
      const alive = isProcess(pid);
      if (!alive(await infoOf(program))) return;
      await call({ method: 'signalProcess', program, args: ['KILL'], tolerated: [FAULT.NOT_RUNNING] });
      const info = await after(program, alive, KILL_MS);
      if (!alive(info)) return;
      throw new SwitchoverError(
        'VERIFY_FAILED',
        `${program} is still there after SIGKILL: ${describe(info)}`,
      );
    },
  };
  return fleet;
}

/** Whether this very process is there: what was started again meanwhile is another one, and must not be killed. */
function isProcess(pid: number): (info: Info) => boolean {
  return (info) => ALIVE.includes(info.statename) && info.pid === pid;
}

/** The supervisor's words: for an ended process they are a date only, for one on its way from state to state none. */
function describe({ statename, exitstatus, description }: Info): string {
  if (statename === 'EXITED') return `exit status ${exitstatus}, ${description}`;
  return description || statename.toLowerCase();
}
