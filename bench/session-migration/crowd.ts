import type { ChainableCommander, Redis } from 'ioredis';
import { allBuckets, bucketOf, candidatesOf, Placement } from '../../core/placement';
import { environmentFile } from '../../sandbox/environment';
import { DEFAULTS } from '../../sandbox/settings';

/** The world of REQUIREMENTS T1 in small: 40 : 35 : 25, three zones a region, two nodes a zone. */
export const ENVIRONMENT = environmentFile(DEFAULTS);
export const FLEET = candidatesOf(ENVIRONMENT);
export const PLACEMENT = new Placement(FLEET);
export const NODE = 'us-east-1/a/n1';
export const REGION = 'us-east-1';
export const OTHER_REGION = 'eu-central-1';

export const SESSIONS = 1_000_000;
const TTL_S = 3_600;
/** Sessions whose commands are sent at once. */
const BATCH = 1_000;

/** One of the sessions: its id, and the node that is the first to own it. */
export interface OneSession {
  id: string;
  bucket: number;
  owner: string;
}

/** Its record, without what names the owner. */
export const RECORD = { createdAt: '1700000000000', updatedAt: '1700000000000', data: '{"count":0}' };

/** When the records written now expire, ms. */
export const expiry = (): number => Date.now() + TTL_S * 1_000;

/** Writes all sessions, in whatever way a contender keeps them. */
export async function fill(
  redis: Redis,
  write: (batch: ChainableCommander, session: OneSession) => void,
): Promise<void> {
  const owners = allBuckets().map((bucket) => PLACEMENT.preferences(bucket)[0]!);
  for (let i = 0; i < SESSIONS; i += BATCH) {
    const batch = redis.pipeline();
    for (let n = i; n < i + BATCH; n += 1) {
      const id = `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
      const bucket = bucketOf(id);
      write(batch, { id, bucket, owner: owners[bucket]! });
    }
    await batch.exec();
  }
}

/** Who moves sessions, with a million of them in its Redis. */
export interface Mover {
  /** Gives a node's sessions to the others of its region; how many there were. */
  moveNode(): Promise<number>;
  /** Gives a region's sessions to another region; how many there were. */
  moveRegion(): Promise<number>;
  /** Puts everything back as it was. */
  restore(): Promise<void>;
  close(): void;
}

/** A way of moving sessions. */
export interface Contender {
  name: string;
  open(url: string, redis: Redis): Promise<Mover>;
}
