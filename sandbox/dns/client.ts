import { Route53Client } from '@aws-sdk/client-route-53';
import { DNS_KEY_VARIABLES, DNS_REGION } from '../environment';

/** Without it the SDK tells everybody who runs Node 20, which is supported here, that releases to come will not. */
const SILENCE = 'AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED';

/** A call is tried once and may take so long, ms: whoever calls looks again by itself. */
const TIMEOUT_MS = 1_000;

/** A way to the emulator. @param address host:port @param keys values of {@link DNS_KEY_VARIABLES} by name */
export function route53At(address: string, keys: Readonly<Partial<Record<string, string>>>): Route53Client {
  process.env[SILENCE] ??= 'true';
  return new Route53Client({
    endpoint: `http://${address}`,
    region: DNS_REGION,
    maxAttempts: 1,
    requestHandler: {
      requestTimeout: TIMEOUT_MS,
      connectionTimeout: TIMEOUT_MS,
      throwOnRequestTimeout: true,
    },
    credentials: {
      accessKeyId: keys[DNS_KEY_VARIABLES.id] ?? '',
      secretAccessKey: keys[DNS_KEY_VARIABLES.secret] ?? '',
    },
  });
}
