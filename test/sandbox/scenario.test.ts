import { healPart } from '../../sandbox';
import { breakUnderLoad, CROWD, servingNodes, wait, type Scene, type Stage } from '../../sandbox/scenario';
import { smallSandbox, useSandbox } from '../harness/sandbox';

/** A node broken under clients on a sandbox without workers: nobody heals it but the test. */
const options = smallSandbox(9);
const sandbox = useSandbox({ ...options, checks: '500ms/2' });

const stage = (given: Partial<Stage> = {}): Stage => ({
  ...CROWD,
  clients: 6,
  sandbox: sandbox(),
  fault: 'kill',
  choose: (serving) => serving[0],
  signal: new AbortController().signal,
  ...given,
});
const known = <T>(what: string, look: () => T | undefined): Promise<T> =>
  wait(
    async () => {
      const value = look();
      if (value === undefined) throw new Error(`waited in vain until ${what}`);
      return value;
    },
    20_000,
    new AbortController().signal,
  );

test('what happens to the node shows from outside, in order, and the clients end with it', async () => {
  const said: string[] = [];
  const episode = await breakUnderLoad(
    stage({ say: (sentence) => said.push(sentence) }),
    async ({ node, watch }: Scene) => {
      await known('the node is out', () => watch.outAt);
      expect(watch.backAt).toBeUndefined();
      await healPart(options, { kind: 'node', node: node.id }, true);
      return known('the node is back', () => watch.backAt);
    },
  );
  const { node, brokenAt, sentence, watch, load, result } = episode;
  expect(said).toEqual([
    `6 MCP clients call tools through ${sandbox().urls.mcp['us-east-1']}, 12 calls a second`,
  ]);
  expect(sentence).toContain(`${node.program} was killed`);
  expect([brokenAt, watch.outAt!, result].toSorted((a, b) => a - b)).toEqual([brokenAt, watch.outAt, result]);
  expect(load).toMatchObject({ clients: 6, sessionsLost: 0 });
  expect(load.ok).toBeGreaterThan(0);
});

test('a node that is out of service is not among those that serve', async () => {
  const before = (await servingNodes(sandbox(), 'us-east-1')).map(({ id }) => id);
  await breakUnderLoad(stage(), async ({ node, watch }) => {
    await known('the node is out', () => watch.outAt);
    expect((await servingNodes(sandbox(), 'us-east-1')).map(({ id }) => id)).toEqual(
      before.filter((id) => id !== node.id),
    );
    await healPart(options, { kind: 'node', node: node.id }, true);
  });
});

test('who stops it before the fault breaks nothing', async () => {
  const stop = new AbortController();
  const choose = (): undefined => {
    stop.abort();
    return undefined;
  };
  const meanwhile = jest.fn();
  await expect(breakUnderLoad(stage({ signal: stop.signal, choose }), meanwhile)).rejects.toThrow('stopped');
  expect(meanwhile).not.toHaveBeenCalled();
});
