import { setTimeout as delay } from 'node:timers/promises';
import type { Finding } from '../../core/run';
import { memberOf, place, type Deps } from '../deps';
import type { Member, ProcessStatus } from '../ports';
import { storeAnswers } from './store';

/** What one vantage point said. */
interface Sign {
  from: string;
  ok: boolean;
  said: string;
}

/** What was seen of a node that is said to have failed. */
export interface Assessment {
  failed: boolean;
  signs: Sign[];
  process: ProcessStatus;
}

/** What has not answered after this long, ms, may hang. */
const SLOW_MS = 50;

/** A process that was held up this long, ms, may have missed answers that came in time. */
const STALL_MS = 100;
const STALL_TICK_MS = 10;
/** How often a process that was held up looks again before its verdict stands. */
const LOOKS = 3;

/** Whether a process was started after this ISO time; supervisors tell whole seconds. */
export function startedSince({ startedAt = '' }: ProcessStatus, since: string): boolean {
  return Date.parse(startedAt) + 999 >= Date.parse(since);
}

/** How a node stands; a failure is looked for again where this process, not the node, may have been too slow. */
export async function assess(deps: Deps, id: string): Promise<Finding<Assessment>> {
  for (let look = 1; ; look += 1) {
    const { result, stalledMs } = await withStall(() => assessOnce(deps, id));
    if (!result.value.failed || stalledMs < STALL_MS || look === LOOKS) return result;
  }
}

/** Does the work, and tells the longest that this process was held up meanwhile. */
async function withStall<T>(work: () => Promise<T>): Promise<{ result: T; stalledMs: number }> {
  let [last, stalledMs] = [performance.now(), 0];
  const tick = () => {
    const now = performance.now();
    stalledMs = Math.max(stalledMs, now - last - STALL_TICK_MS);
    last = now;
  };
  const ticks = setInterval(tick, STALL_TICK_MS);
  try {
    const result = await work();
    tick();
    return { result, stalledMs };
  } finally {
    clearInterval(ticks);
  }
}

/**
 * Confirms a failure from two sides at least: the node's health, its supervisor, the load balancer's own checks. Where
 * those do not settle it, real MCP calls do, and a failing one is made twice.
 */
async function assessOnce(deps: Deps, id: string): Promise<Finding<Assessment>> {
  const { prober } = deps;
  const { node, loadBalancer, fleet, mcpUrl } = place(deps, id);
  const looks = Promise.all([
    prober.health(node.address),
    fleet.status(node.program),
    memberOf(loadBalancer, node),
  ]);
  // A hung node has its time-outs waited for together, not one after the other.
  const slow = await Promise.race([looks.then(() => false), delay(SLOW_MS, true, { ref: false })]);
  const early = slow ? prober.mcp(mcpUrl) : undefined;
  const [health, process, member] = await looks;
  const signs: Sign[] = [
    { from: 'health', ok: health.ok, said: health.said },
    {
      from: 'supervisor',
      ok: process.state === 'running',
      said: `${process.state} (${process.description})`,
    },
    balancerSign(member),
  ];
  const against = () => signs.filter(({ ok }) => !ok);
  for (const from of ['MCP', 'MCP again']) {
    if (against().length >= 2 || signs.some((sign) => sign.from === 'MCP' && sign.ok)) break;
    const { ok, said } = await (from === 'MCP' && early ? early : prober.mcp(mcpUrl));
    const excused = !ok && !(await storeAnswers(deps));
    signs.push({
      from,
      ok: ok || excused,
      said: excused ? `${said}, as the session store does not answer` : said,
    });
  }
  const failed = against().length >= 2;
  const seen = against()
    .map(({ from, said }) => `${from}: ${said}`)
    .join('; ');
  const sentence = failed ? `${id} has failed (${seen})` : `${id} serves${seen ? `, though ${seen}` : ''}`;
  return { sentence, value: { failed, signs, process } };
}

function balancerSign(member: Member | null): Sign {
  const said = member ? `${member.admin}, checks ${member.up ? 'up' : 'down'}` : 'not in the pool';
  return { from: 'load balancer', ok: member?.up === true, said };
}
