import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';

/** A GET of some other client: when it was sent, epoch ms, and how long its answer took, ms. */
export interface Get {
  at: number;
  ms: number;
}

/** Some work that was watched. */
export interface Watched<T> {
  result: T;
  /** How long it took. */
  ms: number;
  /** The GETs that were waiting for an answer at any moment of it, and those before it. */
  gets: Get[];
  before: Get[];
}

const KEY = 'bench:witness';
/** After the work, by then the GETs that were waiting at its end are answered, ms. */
const LATE_MS = 10;

const now = (): number => performance.timeOrigin + performance.now();

/** Another client of the same Redis, a process of its own, that sends one GET after the other. */
export class Witness {
  private readonly process: ChildProcess;

  /** @param url of the Redis */
  constructor(url: string) {
    this.process = fork(join(__dirname, 'witness.js'), [url]);
  }

  /** The GETs answered since this was asked last. */
  async take(): Promise<Get[]> {
    this.process.send('take');
    const [gets] = (await once(this.process, 'message')) as [Get[]];
    return gets;
  }

  async during<T>(work: () => Promise<T>): Promise<Watched<T>> {
    const before = await this.take();
    const from = now();
    const result = await work();
    const to = now();
    await pause(LATE_MS);
    const gets = (await this.take()).filter(({ at, ms }) => at < to && at + ms > from);
    return { result, ms: to - from, gets, before };
  }

  async close(): Promise<void> {
    this.process.disconnect();
    await once(this.process, 'exit');
  }
}

/** The process: ends when nobody listens to it any more. */
async function watch(url: string): Promise<void> {
  const redis = new Redis(url);
  await redis.set(KEY, 'here');
  let gets: Get[] = [];
  process.on('message', () => {
    process.send!(gets);
    gets = [];
  });
  process.once('disconnect', () => process.exit());
  for (;;) {
    const at = now();
    await redis.get(KEY);
    gets.push({ at, ms: now() - at });
  }
}

if (require.main === module) void watch(process.argv[2]!);
