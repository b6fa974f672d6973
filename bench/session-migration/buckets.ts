import { redisSessions } from '../../activities/adapters/redis-sessions';
import {
  ENVIRONMENT,
  FLEET,
  NODE,
  OTHER_REGION,
  PLACEMENT,
  RECORD,
  REGION,
  expiry,
  fill,
  type Contender,
} from './crowd';

const nodesOf = (region: string): string[] =>
  FLEET.filter((candidate) => candidate.region === region).map(({ id }) => id);

/** Switchover: a node's sessions are in its buckets. */
export const BUCKETS: Contender = {
  name: 'buckets',
  async open(url, redis) {
    const sessions = redisSessions({ ...ENVIRONMENT, sessions: { kind: 'redis', url } });
    await fill(redis, (batch, { id, bucket }) => {
      const at = expiry();
      batch.hset(`mcp:session:${id}`, RECORD).pexpireat(`mcp:session:${id}`, at);
      batch.zadd(`mcp:bucket:${bucket}`, at, id);
    });
    const others = nodesOf(REGION).filter((id) => id !== NODE);
    return {
      moveNode: async () => (await sessions.handOver(NODE, others)).moved,
      async moveRegion() {
        const theirs = (await sessions.buckets()).filter(({ owner }) => owner.startsWith(`${REGION}/`));
        const { moved } = await sessions.place(PLACEMENT.moves(theirs, new Set(nodesOf(OTHER_REGION))));
        return moved;
      },
      async restore() {
        await sessions.place(PLACEMENT.moves(await sessions.buckets(), new Set(FLEET.map(({ id }) => id))));
      },
      close: () => sessions.close(),
    };
  },
};
