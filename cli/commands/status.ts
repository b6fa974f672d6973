import { explain } from '../../core/coordination';
import { nodesOf, type Node } from '../../core/topology';
import { toKnown } from '../errors';
import { statusPage, type Status } from '../render/status';
import { withSession, type Session } from '../session';
import { lookOf, print } from '../terminal';

const PROBE_MS = 1000;

/**
 * Shows the fleet as it looks from here, and what is locked or being dealt with. Without Temporal it shows the fleet
 * alone and says so, with exit status 1.
 */
export async function status({ json }: { json?: boolean }): Promise<number> {
  const found = await withSession(look);
  print(process.stdout, json ? [JSON.stringify(found, null, 2)] : statusPage(found, lookOf(process.stdout)));
  return found.trouble ? 1 : 0;
}

async function look({ config, operations }: Session): Promise<Status> {
  const [coordination, regions] = await Promise.all([
    known(operations, Object.keys(config.regions)).catch((error: unknown) => ({
      claims: [],
      incidents: [],
      ways: [],
      trouble: toKnown(error).message,
    })),
    Promise.all(
      Object.entries(config.regions).map(async ([name, { weight, role, loadBalancer }]) => {
        const nodes = nodesOf(config, name).map(async (node) => ({ ...node, ...(await probe(node)) }));
        return { name, weight, role, url: loadBalancer.url, nodes: await Promise.all(nodes) };
      }),
    ),
  ]);
  return { environment: config.environment, regions, ...coordination };
}

async function known(
  operations: Session['operations'],
  regions: readonly string[],
): Promise<Pick<Status, 'claims' | 'incidents' | 'ways'>> {
  const [{ incidents, ...now }, ways] = await Promise.all([
    operations.coordination(),
    operations.ways(regions),
  ]);
  return { claims: explain({ ...now, incidents }), incidents: Object.values(incidents), ways };
}

/** What the node's `/health` answers to the machine this runs on. */
async function probe({ address }: Node): Promise<{ ok: boolean; said: string }> {
  try {
    const answer = await fetch(`http://${address}/health`, { signal: AbortSignal.timeout(PROBE_MS) });
    await answer.body?.cancel();
    return { ok: answer.ok, said: String(answer.status) };
  } catch (error) {
    const { cause, name } = error as Error & { cause?: { code?: string } };
    return {
      ok: false,
      said: name === 'TimeoutError' ? `no answer in ${PROBE_MS} ms` : (cause?.code ?? 'no answer'),
    };
  }
}
