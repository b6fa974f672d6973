/**
 * A scope is the path of what a run touches: `global`, `region/us-east-1`, `zone/us-east-1/a`, `node/us-east-1/a/n1`, or a
 * system: `lb/us-east-1`, `database/main`. The scope of a place contains those below it (DESIGN section 4), and that of the database
 * those of its members that are not its primary: to replace the primary goes before everything that is done to them.
 */
const DEPTH = {
  global: 0,
  region: 1,
  zone: 2,
  node: 3,
  lb: 1,
  registry: 1,
  database: 1,
  control: 1,
  members: 1,
  backups: 1,
  redis: 1,
  dns: 1,
  drill: 1,
} as const;

/** How deep the places go that contain others; a region's load balancer is in its region, other systems are in none. */
const PLACES = ['global', 'region', 'zone', 'node'] as const;

export type ScopeKind = keyof typeof DEPTH;

/** A scope taken apart; `path` has as many parts as its kind is deep. */
export interface Scope {
  readonly kind: ScopeKind;
  readonly path: readonly string[];
}

/** A node's place, as in the path `us-east-1/a/n1`. */
export interface NodePlace {
  readonly region: string;
  readonly zone: string;
  readonly name: string;
}

/** Reads a scope, or null where the text is none (wrong kind, wrong number of parts, empty part). */
export function parseScope(text: string): Scope | null {
  const [kind, ...path] = text.split('/');
  if (kind === undefined || !Object.hasOwn(DEPTH, kind)) return null;
  const scope = { kind: kind as ScopeKind, path };
  return path.length === DEPTH[scope.kind] && path.every(Boolean) ? scope : null;
}

/** The scope of a place, of whatever kind its path is: of `us-east-1` region/us-east-1, of `us-east-1/a/n1` node/us-east-1/a/n1. */
export function scopeOfPlace(path: string): string {
  return `${PLACES[path.split('/').length] ?? 'node'}/${path}`;
}

/** Whether the node is the place, or is in it; both by path. */
export function liesIn(node: string, place: string): boolean {
  return node === place || node.startsWith(`${place}/`);
}

/** Reads a node id `region/zone/name`, or null. */
export function parseNode(id: string): NodePlace | null {
  const scope = parseScope(`node/${id}`);
  const [region, zone, name] = scope?.path ?? [];
  return region && zone && name ? { region, zone, name } : null;
}

/** Whether `outer` is `inner` or lies above it. */
export function contains(outer: string, inner: string): boolean {
  return outer === inner || parents(inner).includes(outer);
}

/** The scopes that contain this one, the narrowest first: of a zone its region and `global`. */
export function parents(scope: string): string[] {
  const parsed = parseScope(scope);
  if (!parsed || parsed.kind === 'global') return [];
  const { kind, path } = parsed;
  if (kind === 'lb') return [`region/${path[0]}`, 'global'];
  if (kind === 'members') return [`database/${path[0]}`, 'global'];
  const depth = (PLACES as readonly string[]).indexOf(kind);
  const around = PLACES.slice(1, Math.max(depth, 1)).map(
    (above, i) => `${above}/${path.slice(0, i + 1).join('/')}`,
  );
  return [...around.toReversed(), 'global'];
}

/** The scope that an alert's labels name: the narrowest of `node`, `zone` and `region`; undefined where they name none. */
export function scopeOfLabels(labels: Readonly<Record<string, string>>): string | undefined {
  const named = (['node', 'zone', 'region'] as const).map((kind) => `${kind}/${labels[kind] ?? ''}`);
  return named.find((scope) => parseScope(scope) !== null);
}

/** The kind of a scope; of a text that is none, its first part. */
export function kindOf(scope: string): string {
  return scope.split('/', 1)[0]!;
}

/** The path of a scope, without its kind. */
export function pathOf(scope: string): string[] {
  return scope.split('/').slice(1);
}

/** The region a scope lies in, if it lies in one. */
export function regionOf(scope: string): string | undefined {
  const parsed = parseScope(scope);
  return parsed && (parsed.kind === 'lb' || PLACES.includes(parsed.kind as never))
    ? parsed.path[0]
    : undefined;
}
