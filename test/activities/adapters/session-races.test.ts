import * as fc from 'fast-check';
import { redisSessions, type RedisSessions } from '../../../activities/adapters/redis-sessions';
import type { Bucket } from '../../../activities/ports';
import {
  Placement,
  allBuckets,
  bucketOf,
  candidatesOf,
  type BucketMove,
  type Placed,
} from '../../../core/placement';
import { environmentFile } from '../../../sandbox/environment';
import { SessionStore, connectRedis } from '../../../sandbox/mcp-node/sessions';
import { DEFAULTS } from '../../../sandbox/settings';
import { startRedis, type TestRedis } from '../../harness/redis';

/**
 * Moves, creates, claims, writes and ends that race. What they ask of Redis is put into every order that fast-check
 * thinks of, one question at a time, so that an order that breaks a promise is shrunk to the shortest one; and then they
 * are let loose on connections of their own.
 */
const HOST = '127.130.8.1';
const config = environmentFile({ ...DEFAULTS, nodesPerZone: 1 });
const regions = { 'us-east-1': config.regions['us-east-1']! };
const FLEET = candidatesOf({ regions });
const NODES = FLEET.map(({ id }) => id);
const PLACEMENT = new Placement(FLEET);

let redis: TestRedis;
let looking: RedisSessions;
const closing: (() => void)[] = [];

beforeAll(async () => {
  redis = await startRedis(HOST);
  looking = connectSessions();
});

afterAll(async () => {
  for (const close of closing) close();
  await redis.stop();
});

function connectSessions(): RedisSessions {
  const sessions = redisSessions({ regions, sessions: { kind: 'redis', url: redis.url } });
  closing.push(() => sessions.close());
  return sessions;
}

/** A node and a runbook's worker at work, each on a connection of its own. */
interface Actor {
  store: SessionStore;
  sessions: RedisSessions;
}

function connectActor(nodeId: string): Actor {
  const connection = connectRedis(redis.url);
  closing.push(() => connection.disconnect());
  const store = new SessionStore(connection, { nodeId, sessionTtlS: 1_000, fleet: FLEET });
  return { store, sessions: connectSessions() };
}

const node = fc.constantFrom(...NODES);
const others = fc.constantFrom([1], [2], [1, 2]);
const operation = fc.oneof(
  fc.record({
    kind: fc.constantFrom('create', 'claim', 'write', 'end', 'rebalance', 'undo'),
    pick: fc.nat(9),
  }),
  fc.record({ kind: fc.constantFrom('handOver', 'migrate'), from: node, to: others, pick: fc.nat(9) }),
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;
const operations = fc.array(operation, { minLength: 1, maxLength: 14 });

/** One thing asked of Redis, in whatever order the test has things asked. Resolves to its answer. */
type Step = <T>(what: string, ask: () => Promise<T>) => Promise<T>;

/** What must be true of the sessions, kept by what the operations are told. */
class World {
  /** Sessions that were created and not ended, with their notes. */
  readonly live = new Map<string, string | undefined>();
  readonly ids: string[] = [];
  /** What moves said they placed, the newest last. */
  readonly placed: Placed[][] = [];
  /** What the newest of them was asked for. */
  asked: readonly BucketMove[] = [];
}

/** Carries the operation out, as nodes and runbooks do: what is looked at in one step may be otherwise in the next. */
async function carryOut(op: Operation, { store, sessions }: Actor, world: World, step: Step): Promise<void> {
  const id = world.ids[op.pick % Math.max(1, world.ids.length)] ?? 'nobody';
  const place = (moves: readonly BucketMove[]): Promise<void> =>
    step('place', async () => {
      const { placed } = await sessions.place(moves);
      world.asked = moves;
      world.placed.push(placed);
    });
  const migrate = async (pick: (seen: Bucket[]) => BucketMove[]): Promise<void> =>
    place(pick(await step('look', () => sessions.buckets())));
  const receivers = 'to' in op ? op.to.map((i) => NODES[(NODES.indexOf(op.from) + i) % NODES.length]!) : [];
  switch (op.kind) {
    case 'create':
      return step('create', async () => {
        const session = await store.create();
        world.live.set(session.id, undefined);
        world.ids.push(session.id);
      });
    case 'claim':
      return step('claim', async () => expect((await store.claim(id)) !== null).toBe(world.live.has(id)));
    case 'write': {
      const session = await step('claim', () => store.claim(id));
      if (!session) return;
      const data = { ...session.data, note: `note ${op.pick}` };
      return step('write', async () => {
        if (await store.write(session, data)) world.live.set(id, data.note);
      });
    }
    case 'end':
      return step('end', async () => void ((await store.end(id)) && world.live.delete(id)));
    case 'handOver':
      return step('handOver', async () => void (await sessions.handOver(op.from, receivers)));
    case 'migrate':
      return migrate((seen) =>
        seen
          .filter(({ owner }) => owner === op.from)
          .map(({ bucket, stamp }) => ({ bucket, from: op.from, to: receivers[0]!, stamp })),
      );
    case 'rebalance':
      return migrate((seen) => PLACEMENT.moves(seen, new Set(NODES)));
    case 'undo': {
      const last = world.placed[op.pick % Math.max(1, world.placed.length)] ?? [];
      const first = (bucket: number): string => PLACEMENT.preferences(bucket)[0]!;
      return place(
        last.map(({ bucket, owner, stamp }) => ({ bucket, from: owner, to: first(bucket), stamp })),
      );
    }
  }
}

/** Every bucket has one owner that there is, every session is in its bucket alone, with its data; none is lost or too many. */
async function whole(world: World): Promise<Bucket[]> {
  const buckets = await looking.buckets();
  expect(buckets.map(({ bucket }) => bucket)).toEqual(allBuckets());
  expect(buckets.filter(({ owner }) => !NODES.includes(owner))).toEqual([]);
  const ids = [...world.live.keys()];
  const wanted = new Map<number, number>();
  for (const id of ids) wanted.set(bucketOf(id), (wanted.get(bucketOf(id)) ?? 0) + 1);
  expect(buckets.filter(({ bucket, sessions }) => sessions !== (wanted.get(bucket) ?? 0))).toEqual([]);
  const notes = await Promise.all(ids.map((id) => redis.client.hget(`mcp:session:${id}`, 'data')));
  expect(notes.map((data) => (JSON.parse(data ?? 'null') as { note?: string }).note)).toEqual(
    ids.map((id) => world.live.get(id)),
  );
  return buckets;
}

it('in whatever order they come: no session is without an owner or lost, and of two moves the last wins', async () => {
  const actors = NODES.map(connectActor);
  const property = fc.asyncProperty(fc.scheduler(), operations, async (scheduler, ops) => {
    await redis.client.flushall();
    const world = new World();
    let before = await whole(world);
    const watched = async <T>(what: string, ask: () => Promise<T>): Promise<T> => {
      const told = world.placed.length;
      const answer = await ask();
      const after = await whole(world);
      const moved = after.filter(({ stamp }, i) => stamp !== before[i]!.stamp);
      expect(moved.filter(({ stamp, bucket }) => stamp < before[bucket]!.stamp)).toEqual([]);
      const said = world.placed.slice(told).flat();
      if (what !== 'handOver')
        expect(moved.map(({ bucket, owner, stamp }) => ({ bucket, owner, stamp }))).toEqual(said);
      if (what === 'place') {
        const due = ({ bucket, from, stamp }: BucketMove): boolean =>
          before[bucket]!.owner === from && before[bucket]!.stamp === stamp;
        expect(said.map(({ bucket }) => bucket)).toEqual(world.asked.filter(due).map(({ bucket }) => bucket));
      }
      before = after;
      return answer;
    };
    const step: Step = (what, ask) =>
      new Promise((resolve, reject) => {
        const builder = () => watched(what, ask).then(resolve, reject);
        scheduler.scheduleSequence([{ label: what, builder }]);
      });
    await scheduler.waitFor(
      Promise.all(ops.map((op, i) => carryOut(op, actors[i % actors.length]!, world, step))),
    );
  });
  await fc.assert(property, { seed: 4, numRuns: 80 });
});

it('let loose on connections of their own: the same holds in the end', async () => {
  const actors = [...NODES, ...NODES].map(connectActor);
  const atOnce: Step = (_what, ask) => ask();
  const moving = fc.array(operation, { minLength: 20, maxLength: 60 });
  const property = fc.asyncProperty(moving, async (ops) => {
    await redis.client.flushall();
    const world = new World();
    const store = actors[0]!.store;
    for (const { id } of await Promise.all(Array.from({ length: 30 }, () => store.create()))) {
      world.live.set(id, undefined);
      world.ids.push(id);
    }
    // Answers come in another order than Redis worked in, so only what no order changes is looked at.
    const settled = ops.filter(({ kind }) => kind !== 'write' && kind !== 'claim');
    await Promise.all(settled.map((op, i) => carryOut(op, actors[i % actors.length]!, world, atOnce)));
    const buckets = await whole(world);
    const newest = new Map<number, Placed>();
    for (const placed of world.placed.flat())
      if (placed.stamp > (newest.get(placed.bucket)?.stamp ?? 0)) newest.set(placed.bucket, placed);
    for (const { bucket, owner, stamp } of newest.values()) {
      const now = buckets[bucket]!;
      expect(now.stamp).toBeGreaterThanOrEqual(stamp);
      if (now.stamp === stamp) expect(now.owner).toBe(owner);
    }
  });
  await fc.assert(property, { seed: 4, numRuns: 25 });
});
