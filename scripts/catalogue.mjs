// Gathers runbooks/*.yaml into runbooks/catalogue.json, which workflows, server and CLI import.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { parse } from 'yaml';

const files = readdirSync('runbooks')
  .filter((file) => file.endsWith('.yaml'))
  .sort();
const catalogue = files.map((file) => {
  const runbook = parse(readFileSync(`runbooks/${file}`, 'utf8'));
  if (`${runbook?.id}.yaml` !== file)
    throw new Error(`runbooks/${file}: its id must be the file's name, not "${runbook?.id}"`);
  return runbook;
});
writeFileSync('runbooks/catalogue.json', `${JSON.stringify(catalogue, null, 2)}\n`);
