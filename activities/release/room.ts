import type { Config } from '../../core/config';
import { roomFor } from '../../core/deploy';
import { serving } from '../../core/guards';
import type { Pool } from '../pool';

/** How many members of a pool may be out at once by plan, as the policies have it. */
export function roomIn(
  { minimumHealthyShare, nodeCapacity }: Config['policies'],
  { members, load }: Pool,
): number {
  return roomFor({
    serving: serving(members).length,
    members: members.length,
    minimumShare: minimumHealthyShare,
    peakPerS: load.peakPerS,
    memberCapacity: nodeCapacity,
  });
}
