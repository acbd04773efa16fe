/**
 * `npm run sbom [-- file]`: what Batuta consists of, as CycloneDX in JSON; to standard output, or into a file.
 *
 * Holds the packages that `npm install batuta` brings and those that are bundled into `dist`, which are only needed to build it.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { listNoticed } from './third-party.js';

const bundled = new Set(listNoticed('dist/THIRD_PARTY_NOTICES.txt'));
const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const installed = new Set(
  Object.entries(lock.packages)
    .filter(([place, { dev, devOptional }]) => place !== '' && dev !== true && devOptional !== true)
    .map(([place, { name, version }]) => `${name ?? place.split('node_modules/').at(-1)}@${version}`),
);
const { status, stdout, stderr } = spawnSync(
  'npm',
  ['sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'application', '--package-lock-only'],
  { encoding: 'utf8', maxBuffer: 1e8 },
);
if (status !== 0) {
  process.stderr.write(stderr);
  process.exit(1);
}
const all = JSON.parse(stdout);
const components = all.components.filter((component) => {
  const id = `${component.group === undefined ? '' : `${component.group}/`}${component.name}@${component.version}`;
  return installed.has(id) || bundled.has(id);
});
const kept = new Set([all.metadata.component['bom-ref'], ...components.map((component) => component['bom-ref'])]);
const dependencies = all.dependencies
  .filter(({ ref }) => kept.has(ref))
  .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((other) => kept.has(other)) }));
const text = `${JSON.stringify({ ...all, components, dependencies }, null, 2)}\n`;
const [file] = process.argv.slice(2);
if (file === undefined) process.stdout.write(text);
else writeFileSync(file, text);
