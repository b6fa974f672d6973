import { SwitchoverError } from '../core/errors';
import { openContext } from './context';
import { TOKEN_VARIABLES } from './environment';
import { balancerAddresses, placesOf, sharedAddresses } from './layout';
import { databaseUrl } from './parts/database';
import { connectionEnvironment, type Context } from './parts/part';
import { sessionsUrl } from './parts/sessions';
import { stateDir, type SandboxOptions, type Settings } from './settings';

/** Everything a program needs to work with a sandbox; see {@link connect}. */
export interface Sandbox {
  dir: string;
  settings: Settings;
  /** The environment file. */
  configPath: string;
  temporalAddress: string;
  /** What a worker, a server or a CLI of this sandbox needs in its environment, secrets included. */
  env: Readonly<Record<string, string>>;
  /** Bearer tokens by the name of who they speak for. */
  tokens: Readonly<Record<keyof typeof TOKEN_VARIABLES, string>>;
  urls: SandboxUrls;
  /** Where clients of the database write, password included; nobody listens there without the setting `database`. */
  databaseUrl: string;
  /** Where clients of the session store write, password included. */
  sessionsUrl: string;
  /** What the people of the escalation ladder were told, one JSON object a line. */
  notificationsPath: string;
}

export interface SandboxUrls {
  /** The MCP endpoint of each region, through its load balancer. */
  mcp: Readonly<Record<string, string>>;
  /** Each region's HAProxy statistics page. */
  haproxy: Readonly<Record<string, string>>;
  temporalUi: string;
  api: string;
  apiDocs: string;
  prometheus: string;
  alertmanager: string;
  notifications: string;
}

/**
 * The facts about the sandbox that `options` name, read from its state directory; says nothing about whether it runs.
 * @throws SANDBOX where there is none
 */
export async function connect(options: SandboxOptions = {}): Promise<Sandbox> {
  const context = await openContext(options);
  if (context) return sandboxOf(context);
  const message = `There is no sandbox in ${stateDir(options)}. Start one with \`switchover sandbox up\`.`;
  throw new SwitchoverError('SANDBOX', message);
}

/** The facts that follow from a sandbox's context. */
export function sandboxOf(context: Context): Sandbox {
  const { dir, settings, files, at, secrets } = context;
  const tokens = Object.entries(TOKEN_VARIABLES).map(([name, variable]) => [name, secrets[variable] ?? '']);
  return {
    dir,
    settings,
    configPath: files.config,
    temporalAddress: at.temporal,
    env: connectionEnvironment(context),
    tokens: Object.fromEntries(tokens) as Sandbox['tokens'],
    urls: urls(settings),
    databaseUrl: databaseUrl(context),
    sessionsUrl: sessionsUrl(context),
    notificationsPath: files.notifications,
  };
}

function urls(settings: Settings): SandboxUrls {
  const { block } = settings;
  const at = sharedAddresses(block);
  const regions = placesOf(settings).map(({ name }, index) => ({ name, ...balancerAddresses(block, index) }));
  return {
    mcp: Object.fromEntries(regions.map(({ name, frontend }) => [name, `http://${frontend}/mcp`])),
    haproxy: Object.fromEntries(regions.map(({ name, metrics }) => [name, `http://${metrics}/stats`])),
    temporalUi: `http://${at.temporalUi}`,
    api: `http://${at.server}/api/v1`,
    apiDocs: `http://${at.server}/docs`,
    prometheus: `http://${at.prometheus}`,
    alertmanager: `http://${at.alertmanager}`,
    notifications: `http://${at.notifications}/notifications`,
  };
}
