// Makes package-lock.json fit for `npm ci` anywhere, after `npm install` changed it: adds entries for optional platform
// packages that the registry in use does not serve (without them npm says "Missing: X from lock file"), and removes
// recorded download addresses, so that everybody's own registry setting decides. An added entry names an operating
// system other than Linux, so Linux never fetches it.
// Usage: node scripts/fix-lock.mjs [package-lock.json]
import fs from 'node:fs';

const file = process.argv[2] ?? 'package-lock.json';
const systems = ['darwin', 'win32', 'android', 'freebsd', 'openharmony'];
const lock = JSON.parse(fs.readFileSync(file, 'utf8'));
const { packages } = lock;

/** Whether `name` resolves from the package at `from`, the way Node looks it up. */
function resolves(from, name) {
  for (let base = from; ;) {
    if (packages[`${base ? `${base}/` : ''}node_modules/${name}`]) return true;
    if (!base) return false;
    const parent = base.lastIndexOf('/node_modules/');
    base = parent < 0 ? '' : base.slice(0, parent);
  }
}

function standIn(name, range, dev) {
  return {
    version: range.replace(/^[^\d]*/, ''),
    ...(dev ? { dev: true } : {}),
    optional: true,
    os: [systems.find((system) => name.includes(system)) ?? 'aix'],
  };
}

let added = 0;
for (const [from, entry] of Object.entries({ ...packages })) {
  if (entry.resolved?.startsWith('http')) delete entry.resolved;
  for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
    if (resolves(from, name)) continue;
    packages[`node_modules/${name}`] = standIn(name, range, entry.dev);
    added += 1;
  }
}
lock.packages = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)));
fs.writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${file}: ${added} entries added`);
