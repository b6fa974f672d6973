import type { Deed, Intent } from '../../core/run';
import type { HandOver, Sessions } from '../ports';

/** Gives the buckets of sessions of one node to others, and says how many sessions were in them. Done again it finds none left. */
export async function handOver(
  sessions: Sessions,
  { from, to, how }: { from: string; to: readonly string[]; how: Intent },
): Promise<Deed<Partial<HandOver>>> {
  const buckets = (await sessions.buckets()).filter(({ owner }) => owner === from);
  const found = buckets.reduce((sum, bucket) => sum + bucket.sessions, 0);
  if (buckets.length === 0)
    return { changed: false, sentence: `${from} owns no sessions`, after: { found, moved: 0, lost: 0 } };
  if (how.mode === 'plan')
    return {
      changed: true,
      sentence: `would hand ${found} sessions in ${buckets.length} buckets to ${to.length} nodes`,
      before: { found },
    };
  const at = new Date().toISOString();
  const after = await sessions.handOver(from, to);
  const sentence = `${after.moved} of ${after.found} sessions handed to ${to.length} nodes, ${after.lost} lost`;
  return { changed: true, sentence, before: { found }, after, at };
}
