/**
 * A scope is the path of what a run touches: `global`, `region/us-east-1`, `zone/us-east-1/a`, `node/us-east-1/a/n1`.
 * The scope of a place contains those below it (DESIGN section 4).
 */
const DEPTH = { global: 0, region: 1, zone: 2, node: 3 } as const;

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

/** Reads a node id `region/zone/name`, or null. */
export function parseNode(id: string): NodePlace | null {
  const scope = parseScope(`node/${id}`);
  const [region, zone, name] = scope?.path ?? [];
  return region && zone && name ? { region, zone, name } : null;
}

/** Whether `outer` is `inner` or lies above it. */
export function contains(outer: string, inner: string): boolean {
  const a = parseScope(outer);
  const b = parseScope(inner);
  if (!a || !b) return outer === inner;
  return a.path.length <= b.path.length && a.path.every((part, i) => part === b.path[i]);
}

/** The region a scope lies in, if it lies in one. */
export function regionOf(scope: string): string | undefined {
  return parseScope(scope)?.path[0];
}
