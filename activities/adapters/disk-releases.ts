import { randomUUID } from 'node:crypto';
import { Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { SwitchoverError } from '../../core/errors';
import { releaseProgram } from '../../core/topology';
import type { Fleet, Installed, Releases } from '../ports';

/** How long a look or a switch may take, ms. */
const RUN_MS = 10_000;
/** So often somebody else's answer is taken for bad luck. */
const TRIES = 10;

/** What sandbox/node-release prints. */
const Printed = Type.Object({
  key: Type.String(),
  current: Type.String(),
  before: Type.String(),
  releases: Type.Array(Type.String()),
});

/**
 * Releases on the nodes' own disks, told and switched by a program a node that its supervisor has: sandbox/node-release, or what keeps
 * its contract. A switch is the exchange of one link, so it is done or not done, whenever the machine dies.
 *
 * @throws RELEASE_MISSING; FLEET_REFUSED with the program's words; FLEET_UNREACHABLE
 */
export function diskReleases(fleet: Pick<Fleet, 'run'>): Releases {
  /** One that runs already has somebody else's order: its answer has another key, and then it is asked again. */
  const ask = async (program: string, order: string): Promise<Installed> => {
    for (let tries = 1; tries <= TRIES; tries += 1) {
      const own = randomUUID();
      const work = { input: `${own} ${order}`, tell: () => undefined };
      const line = await fleet.run(releaseProgram(program), RUN_MS, work);
      const { key, current, before, releases } = Value.Parse(Printed, JSON.parse(line));
      if (key === own) return { current, before: before || null, releases };
    }
    throw new SwitchoverError(
      'FLEET_REFUSED',
      `${releaseProgram(program)} was kept busy by others ${TRIES} times; "${order}" was not carried out`,
    );
  };

  return {
    look: (program) => ask(program, 'look'),

    async switch(program, version) {
      const { releases } = await ask(program, 'look');
      if (!releases.includes(version))
        throw new SwitchoverError(
          'RELEASE_MISSING',
          `release ${version} is not on the machine of ${program}; there are ${releases.join(', ')}`,
        );
      return ask(program, `switch ${version}`);
    },
  };
}
