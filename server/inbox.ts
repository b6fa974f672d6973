/**
 * Where alerts are kept from their arrival until they are dealt with, so that they outlive this process. None of its methods fails:
 * where the inbox is away, whoever sent an alert waits until it is dealt with.
 */
export interface Inbox<Item> {
  /** Keeps an item. @returns whether it is safe now; false where the inbox is away */
  keep(item: Item): Promise<boolean>;
  /** An item that was kept is dealt with, for good. */
  done(item: Item): Promise<void>;
  /** An item that was kept could not be dealt with; it is due again in a second. */
  later(item: Item): Promise<void>;
  /** Takes items whose time has come, of this process or of one that is gone; nobody else gets them for a while. */
  due(atMost: number): Promise<Item[]>;
  close(): Promise<void>;
}

/** No inbox: who sends something waits until it is dealt with. */
export const noInbox = <Item>(): Inbox<Item> => ({
  keep: async () => false,
  done: async () => undefined,
  later: async () => undefined,
  due: async () => [],
  close: async () => undefined,
});
