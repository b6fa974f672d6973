import type { LoadBalancer, Member, PoolLoad } from './ports';

/** A pool as guards need it. */
export interface Pool {
  members: Member[];
  load: PoolLoad;
}

/** The members of a pool and what its clients ask of them. */
export async function lookAtPool(loadBalancer: LoadBalancer): Promise<Pool> {
  const [members, load] = await Promise.all([loadBalancer.members(), loadBalancer.load()]);
  return { members, load };
}
