import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { bundleWorkflowCode, type WorkflowBundleOption } from '@temporalio/worker';
import { ROOT } from '../../../sandbox/tools';

/** Bundling takes seconds and a dozen test files need it: the bundle is kept for as long as its sources do not change. */
const CACHE = path.join(ROOT, 'node_modules/.cache/switchover-lab');

const SOURCES = ['core', 'workflows', 'test/workflows/lab', 'package-lock.json'];

/** The lab's catalogue in the place of the project's. */
const INSTEAD = { [path.join(ROOT, 'runbooks/catalogue.json')]: path.join(__dirname, 'catalogue.ts') };

const silent = { log() {}, trace() {}, debug() {}, info() {}, warn: console.error, error: console.error };

/** The lab's workflows on the real engine and coordinator, with the lab's catalogue. */
export async function labBundle(): Promise<WorkflowBundleOption> {
  const current = digest();
  const codePath = path.join(CACHE, `${current}.js`);
  if (existsSync(codePath)) return { codePath };
  const code = await bundle();
  mkdirSync(CACHE, { recursive: true });
  const stale = readdirSync(CACHE).filter((file) => !file.startsWith(current));
  for (const file of stale) rmSync(path.join(CACHE, file), { force: true });
  writeFileSync(`${codePath}.${process.pid}`, code);
  renameSync(`${codePath}.${process.pid}`, codePath);
  return { codePath };
}

async function bundle(): Promise<string> {
  const { code } = await bundleWorkflowCode({
    workflowsPath: path.join(__dirname, 'workflows.ts'),
    workflowInterceptorModules: [path.join(ROOT, 'workflows/engine/interceptors')],
    preloadModules: [path.join(ROOT, 'workflows/engine/preload')],
    logger: silent,
    webpackConfigHook: (config) => ({
      ...config,
      resolve: { ...config.resolve, alias: Object.assign({}, config.resolve?.alias, INSTEAD) },
    }),
  });
  return code;
}

/** Of everything that goes into the bundle. */
function digest(): string {
  const hash = createHash('sha256');
  for (const source of SOURCES.map((name) => path.join(ROOT, name))) {
    const files = source.endsWith('.json') ? [source] : filesOf(source);
    for (const file of files) hash.update(file).update(readFileSync(file));
  }
  return hash.digest('hex').slice(0, 16);
}

function filesOf(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
}
