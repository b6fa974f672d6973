import { get } from '../conditions';
import { built, requireBuilt } from '../tools';
import type { Context, Part } from './part';

const MAIN = 'sandbox/notifications.js';

/** Where the sandbox's people would be: takes what is sent to them and keeps it in a file. */
export function notifications({ at, files }: Context): Part {
  const program = {
    name: 'notifications',
    command: () => [process.execPath, built(MAIN), at.notifications, files.notifications],
    listens: [at.notifications],
  };
  return {
    name: 'Notification sink',
    after: [],
    programs: [program],
    prepare: async () => requireBuilt(MAIN),
    ready: () => get(`http://${at.notifications}/notifications`),
  };
}
