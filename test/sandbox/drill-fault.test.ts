import { supervisord } from '../../activities/adapters/supervisord';
import type { Fleet } from '../../activities/ports';
import type { BreakTask, DrillFault, Injected, Told } from '../../core/drill';
import { built } from '../../sandbox/tools';
import { startSupervisord, type TestSupervisord } from '../harness/supervisord';
import { until } from '../harness/until';

/** A supervisor with a node that answers `/health`, its spare, and the program that breaks the node. Nobody else is there. */
const HOST = '127.130.40.1';
const NODES = { node: `${HOST}:8080`, spare: `${HOST}:8081` };
let supervisor: TestSupervisord;
let fleet: Fleet;

const serving = (address: string): string => {
  const [host, port] = address.split(':');
  const script = `require("node:http").createServer((_, answer) => answer.end("{}")).listen(${port}, "${host}")`;
  return `${process.execPath} -e '${script}'`;
};

beforeAll(async () => {
  const environment = `SUPERVISOR_URL="http://${HOST}:9001/RPC2",SUPERVISOR_PASSWORD="correct horse"`;
  supervisor = await startSupervisord(HOST, {
    node: { command: serving(NODES.node), startsecs: 0 },
    spare: { command: serving(NODES.spare), startsecs: 0 },
    fault: { command: `${process.execPath} ${built('sandbox/drill/fault.js')}`, startsecs: 0, environment },
  });
  fleet = supervisord(supervisor.config, supervisor.password);
});
afterEach(() => Promise.all(['fault', 'node', 'spare'].map((program) => fleet.stop(program))));
afterAll(() => supervisor?.stop());

const answers = (address = NODES.node) =>
  fetch(`http://${address}/health`, { signal: AbortSignal.timeout(200) }).then(
    ({ ok }) => ok,
    () => false,
  );
const told = async (key: string) => {
  const line = await fleet.lastLine('fault');
  const said = line ? (JSON.parse(line) as Told<Injected>) : undefined;
  return said?.key === key ? said : undefined;
};

/** Breaks the node, which serves before and does not afterwards. */
async function breakNode(key: string, fault: DrillFault, forMs: number): Promise<Told<Injected>> {
  await fleet.start('node');
  await until('the node serves', () => answers());
  const { pid } = await fleet.status('node');
  const task: BreakTask = {
    key,
    fault,
    program: 'node',
    pid,
    probes: Object.values(NODES),
    serving: 1,
    forMs,
  };
  await fleet.begin('fault', JSON.stringify(task));
  const injected = await until('it is broken', () => told(key));
  await until('the node does not serve', async () => !(await answers()));
  return injected;
}

describe.each<DrillFault>(['kill', 'hang'])('a node with the fault %s', (fault) => {
  it('is well again by itself once the time is up, whoever else is there', async () => {
    const { at, until: expiry } = await breakNode(`${fault} 1`, fault, 1_500);
    expect(expiry! - at!).toBe(1_500);
    const undone = await until('it is undone', async () => {
      const now = await told(`${fault} 1`);
      return now?.undoneAt !== undefined && now;
    });
    expect(undone).toMatchObject({ found: 'still broken' });
    expect(undone.undoneAt).toBeGreaterThanOrEqual(expiry!);
    await until('the node serves', () => answers());
  });

  it('is well again as soon as the fault is to end', async () => {
    await breakNode(`${fault} 2`, fault, 60_000);
    await fleet.stop('fault', 8_000);
    expect(await told(`${fault} 2`)).toMatchObject({ found: 'still broken' });
    await until('the node serves', () => answers());
  });
});

it('a node in whose place a spare serves is left as it is', async () => {
  await breakNode('spare', 'kill', 60_000);
  await fleet.start('spare');
  await until('the spare serves', () => answers(NODES.spare));
  await fleet.stop('fault', 8_000);
  expect(await told('spare')).toMatchObject({ found: 'healed' });
  expect(await fleet.status('node')).toMatchObject({ pid: 0 });
});

it('what does not run is not broken', async () => {
  const task: BreakTask = {
    key: 'none',
    fault: 'kill',
    program: 'node',
    pid: 0,
    probes: [],
    serving: 1,
    forMs: 1_000,
  };
  await fleet.begin('fault', JSON.stringify(task));
  await until('it has given up', async () => (await fleet.status('fault')).state === 'exited');
  expect(await fleet.lastWords('fault')).toContain('node does not run');
});
