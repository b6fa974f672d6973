import { Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import type { MetricsConfig } from '../../core/config';
import { SwitchoverError } from '../../core/errors';
import type { Metrics } from '../ports';
import { trouble } from './trouble';

/** Longest wait for an answer, ms. */
const TIMEOUT_MS = 2_000;

/** An instant query whose answer is one number, or none. */
const Answer = Type.Object({
  data: Type.Object({
    result: Type.Array(Type.Object({ value: Type.Tuple([Type.Number(), Type.String()]) }), { maxItems: 1 }),
  }),
});

/**
 * Prometheus over its HTTP API. It is asked for what MCP nodes export, see sandbox/mcp-node/README.md: `mcp_requests_total`,
 * `mcp_errors_total`, `mcp_request_duration_seconds`.
 *
 * Trap: a rate needs two samples within the window; a node that was started a moment ago has none, and is not counted yet.
 *
 * @throws METRICS_UNREACHABLE
 */
export function prometheus({ url, window }: Pick<MetricsConfig, 'url' | 'window'>): Metrics {
  const ask = async (query: string): Promise<number | null> => {
    try {
      const response = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(query)}`, {
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      if (!response.ok) throw new Error(`HTTP ${response.status} ${(await response.text()).slice(0, 200)}`);
      const { data } = Value.Parse(Answer, await response.json());
      const value = Number(data.result[0]?.value[1] ?? Number.NaN);
      return Number.isFinite(value) ? value : null;
    } catch (error) {
      throw new SwitchoverError(
        'METRICS_UNREACHABLE',
        `Prometheus ${url} on "${query}": ${trouble(error, TIMEOUT_MS)}`,
      );
    }
  };

  return {
    async service(nodes) {
      if (nodes.length === 0) return { perS: 0, errors: null, p99Ms: null };
      const which = `{node=~"${nodes.map(literally).join('|')}"}[${window}]`;
      const [perS, errorsPerS, p99] = await Promise.all([
        ask(`sum(rate(mcp_requests_total${which}))`),
        ask(`sum(rate(mcp_errors_total${which}))`),
        ask(`histogram_quantile(0.99, sum by (le) (rate(mcp_request_duration_seconds_bucket${which})))`),
      ]);
      const asked = (perS ?? 0) > 0;
      return {
        perS: perS ?? 0,
        errors: asked ? (errorsPerS ?? 0) / perS! : null,
        p99Ms: asked && p99 !== null ? p99 * 1_000 : null,
      };
    },
  };
}

/** A text as a regular expression that matches nothing else, within the quotes of a query. */
function literally(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\\\$&');
}
