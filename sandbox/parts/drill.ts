import { DRILL_FAULT, DRILL_OBSERVER } from '../../core/topology';
import { FLEET_PASSWORD_VARIABLE } from '../environment';
import { built } from '../tools';
import type { Context, Part } from './part';

/** What drills are carried out with: who looks on from outside, and who breaks a node and makes it good by itself. */
export function drill({ at, secrets }: Context): Part {
  const program = (name: string, main: string, environment: Record<string, string> = {}) => ({
    name,
    command: () => [process.execPath, built(main)],
    environment,
    listens: [],
    task: true,
  });
  return {
    name: 'Drills',
    after: [],
    programs: [
      program(DRILL_OBSERVER, 'sandbox/drill/observer.js'),
      program(DRILL_FAULT, 'sandbox/drill/fault.js', {
        SUPERVISOR_URL: `http://${at.supervisor}/RPC2`,
        SUPERVISOR_PASSWORD: secrets[FLEET_PASSWORD_VARIABLE] ?? '',
      }),
    ],
    ready: () => Promise.resolve(),
  };
}
