/**
 * What is made of looks at a region from others: whether it has failed (REQUIREMENTS H4, DESIGN section 4: agreement of two vantage
 * points). Pure rules; who looks is activities/region/vantage.ts.
 *
 * A vantage point cannot tell a dead region from one that only it is cut off from. So one never decides, and one that reaches neither
 * the region nor any other is taken to be cut off itself: it has no say.
 */
import { isDegraded, type DegradedRule } from './health';

/** A region as it is seen from another one. */
export interface RegionView {
  /** Where it was seen from. */
  from: string;
  /** Whether the region's load balancer answered. */
  balancer: { ok: boolean; said: string };
  /** Of the nodes in service how many said that they are healthy. */
  nodes: { healthy: number; of: number };
  /** How the way to it was lately, in words, where it was probed: what is lost on it may not be the region's. */
  way?: string;
  /** Other regions whose load balancers answered there. */
  reaches: string[];
}

/** Nobody looked from there, or not in time. */
export interface NoView {
  from: string;
  why: string;
}

export interface RegionVerdict {
  /** All vantage points that have a say see it failed, and they are enough. */
  failed: boolean;
  /** Why, in a sentence. */
  said: string;
  /** Why nothing may be concluded from what was seen; undefined where that is clear. */
  doubt?: string;
  /** Some see it well and none see it failed, however many they are: it serves at least those. */
  serves: boolean;
}

/** So many vantage points have to see it. */
export const VANTAGES = 2;

export function judgeRegion(
  region: string,
  views: readonly (RegionView | NoView)[],
  rule: DegradedRule,
): RegionVerdict {
  const looked = views.filter((view) => 'nodes' in view);
  const seeing = looked.filter(hasSay);
  const failed = seeing.filter((view) => hasFailed(view, rule));
  const well = seeing.filter((view) => !failed.includes(view));
  const said = views.map((view) => told(view)).join('; ');
  const serves = well.length > 0 && failed.length === 0;
  if (seeing.length < VANTAGES)
    return {
      failed: false,
      said,
      serves,
      doubt: `${region} is seen from ${seeing.length} of the ${VANTAGES} vantage points that are needed`,
    };
  if (failed.length > 0 && well.length > 0)
    return {
      failed: false,
      said,
      serves,
      doubt: `${names(failed)} see${s(failed)} ${region} failed, ${names(well)} do${es(well)} not`,
    };
  return { failed: failed.length > 0, said, serves };
}

function hasSay({ balancer, reaches }: RegionView): boolean {
  return balancer.ok || reaches.length > 0;
}

function hasFailed({ balancer, nodes: { healthy, of } }: RegionView, rule: DegradedRule): boolean {
  return !balancer.ok || isDegraded(of - healthy, of, rule);
}

function told(view: RegionView | NoView): string {
  if (!('nodes' in view)) return `nobody looks from ${view.from} (${view.why})`;
  const { from, balancer, nodes, way } = view;
  if (!hasSay(view)) return `${from} reaches nobody: it is cut off itself`;
  const lb = balancer.ok ? 'answers' : `does not answer (${balancer.said})`;
  return `seen from ${from} its load balancer ${lb}, ${nodes.healthy} of ${nodes.of} nodes are healthy${way === undefined ? '' : ` (${way})`}`;
}

function names(views: readonly RegionView[]): string {
  return views.map(({ from }) => from).join(' and ');
}

function s(views: readonly unknown[]): string {
  return views.length === 1 ? 's' : '';
}

function es(views: readonly unknown[]): string {
  return views.length === 1 ? 'es' : '';
}
