import { nodesOf, type Node } from '../../core/topology';
import { statusPage, type Status } from '../render/status';
import { withSession, type Session } from '../session';
import { lookOf, print } from '../terminal';

const PROBE_MS = 1000;

/** Shows the fleet as it looks from here, and what is locked or being dealt with. */
export async function status({ json }: { json?: boolean }): Promise<number> {
  const found = await withSession(look);
  print(process.stdout, json ? [JSON.stringify(found, null, 2)] : statusPage(found, lookOf(process.stdout)));
  return 0;
}

async function look({ config, operations }: Session): Promise<Status> {
  const [{ locks, incidents }, regions] = await Promise.all([
    operations.coordination(),
    Promise.all(
      Object.entries(config.regions).map(async ([name, { weight, role, loadBalancer }]) => {
        const nodes = await Promise.all(
          nodesOf(config, name).map(async (node) => ({ ...node, ...(await probe(node)) })),
        );
        return { name, weight, role, url: loadBalancer.url, nodes };
      }),
    ),
  ]);
  return { environment: config.environment, regions, locks, incidents: Object.values(incidents) };
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
