import type { LookupFunction } from 'node:net';
import { Resolver } from 'node:dns/promises';

/** What a client holds of a name. */
export interface Held {
  address: string;
  /** Epoch ms; until then nobody is asked again. */
  expiresAt: number;
}

/** How long a nameserver may take, ms. */
const TIMEOUT_MS = 1_000;

/**
 * A stub resolver as a client has it: asks one nameserver, keeps the first address for as long as the TTL says, and asks again only
 * then, whatever became of the connections to it. An answer that does not come is an error, and is not kept.
 */
export class StubResolver {
  private readonly resolver = new Resolver({ timeout: TIMEOUT_MS, tries: 1 });
  private held: Held | undefined;
  private asking: Promise<Held> | undefined;

  /** @param nameserver host:port, the host by its address */
  constructor(nameserver: string) {
    this.resolver.setServers([nameserver]);
  }

  /** What it holds, expired or not; undefined before its first answer. */
  get cached(): Held | undefined {
    return this.held;
  }

  /** The address of this name, from its cache while the TTL lasts. @throws the resolver's error */
  async resolve(name: string): Promise<string> {
    if (this.held && Date.now() < this.held.expiresAt) return this.held.address;
    this.asking ??= this.ask(name).finally(() => (this.asking = undefined));
    return (await this.asking).address;
  }

  /** The same, for connections. */
  readonly lookup: LookupFunction = (name, options, done) => {
    this.resolve(name).then(
      (address) => (options.all ? done(null, [{ address, family: 4 }]) : done(null, address, 4)),
      (error: NodeJS.ErrnoException) => done(error, ''),
    );
  };

  private async ask(name: string): Promise<Held> {
    const [answer] = await this.resolver.resolve4(name, { ttl: true });
    const { address, ttl } = answer!;
    this.held = { address, expiresAt: Date.now() + ttl * 1_000 };
    return this.held;
  }
}
