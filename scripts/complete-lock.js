/**
 * `node scripts/complete-lock.js [--check]`: makes package-lock.json whole after a package was added.
 *
 * npm leaves out of the lock file what is optional and could not be looked up where it ran, such as binaries for other
 * platforms on a registry that keeps few of them; `npm ci` then refuses that lock file everywhere. Their exact versions
 * stand in the packages that want them and their platform in their names, which is all that an entry needs.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const path = 'package-lock.json';
const systems = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const processors = ['arm', 'arm64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'x64'];

const lock = JSON.parse(readFileSync(path, 'utf8'));
const missing = findMissing(lock.packages);
if (process.argv.includes('--check')) {
  for (const { place } of missing) console.log(`package-lock.json lacks ${place}; run: node scripts/complete-lock.js`);
  const hosts = Object.values(lock.packages).filter(({ resolved }) => /^https?:/.test(resolved ?? ''));
  for (const { resolved } of hosts) console.log(`package-lock.json names a registry: ${resolved}; set omit-lockfile-registry-resolved.`);
  process.exitCode = missing.length + hosts.length > 0 ? 1 : 0;
} else if (missing.length > 0) {
  for (const { place, entry } of missing) lock.packages[place] = entry;
  lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en')));
  writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
  console.log(`Added ${missing.length} entries.`);
}

function findMissing(packages) {
  const found = new Map();
  for (const [parent, { optionalDependencies = {}, dev }] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(optionalDependencies)) {
      if (isThere(packages, parent, name)) continue;
      if (!/^\d/.test(version))
        throw new Error(`${parent} wants ${name} ${version}, which is no exact version; this cannot be told without the registry.`);
      const place = `node_modules/${name}`;
      const known = found.get(place);
      if (known !== undefined && known.version !== version)
        throw new Error(`${name} is wanted in versions ${known.version} and ${version}.`);
      found.set(place, makeEntry(name, version, dev === true && (known === undefined || known.dev === true)));
    }
  }
  return [...found].map(([place, entry]) => ({ place, entry }));
}

/** Looks where Node would: in the package itself, then in each folder above it. */
function isThere(packages, parent, name) {
  for (let folder = parent; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    if (`${folder === '' ? '' : `${folder}/`}node_modules/${name}` in packages) return true;
    if (!folder.includes('/node_modules/')) return `node_modules/${name}` in packages;
  }
}

function makeEntry(name, version, dev) {
  const words = name.split(/[/-]/);
  const os = systems.filter((system) => words.includes(system));
  const cpu = processors.filter((processor) => words.includes(processor));
  if (os.length !== 1 || cpu.length !== 1) throw new Error(`The platform of ${name} cannot be told from its name.`);
  const libc = words.some((word) => word.startsWith('musl')) ? ['musl'] : words.includes('gnu') ? ['glibc'] : [];
  return { version, cpu, ...(dev ? { dev: true } : {}), ...(libc.length > 0 && os[0] === 'linux' ? { libc } : {}), optional: true, os };
}
