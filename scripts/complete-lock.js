/**
 * `node scripts/complete-lock.js [--check]`: makes package-lock.json whole after a package was added.
 *
 * npm leaves out of the lock file what is optional and could not be looked up where it ran, such as binaries for other
 * platforms on a registry that keeps few of them; `npm ci` then refuses that lock file everywhere. npm is asked for them once more. Those that
 * the registry does not have are written from the packages that want them, which say their exact versions, and from their names,
 * which say their platform. Such an entry installs, but without `integrity` nothing compares what is downloaded, so the check
 * refuses it until a registry has given its hash.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

const path = 'package-lock.json';
const systems = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const processors = ['arm', 'arm64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'x64'];

const lock = readLock();
if (!process.argv.includes('--check')) {
  if (findMissing(lock.packages).length > 0 || findUnproven(lock.packages).length > 0) complete();
  process.exitCode = report(findUnproven(readLock().packages).map(describeUnproven));
} else {
  process.exitCode = report([
    ...findMissing(lock.packages).map(({ place }) => `package-lock.json lacks ${place}; run: node scripts/complete-lock.js`),
    ...findUnproven(lock.packages).map(describeUnproven),
    ...Object.values(lock.packages)
      .filter(({ resolved }) => /^https?:/.test(resolved ?? ''))
      .map(({ resolved }) => `package-lock.json names a registry: ${resolved}; set omit-lockfile-registry-resolved.`),
  ]);
}

function complete() {
  const before = new Set(Object.keys(lock.packages));
  const unproven = findUnproven(lock.packages);
  // npm looks up only what the lock file does not hold yet.
  for (const place of unproven) delete lock.packages[place];
  writeLock(lock);
  const { status } = spawnSync('npm', ['install', '--package-lock-only', '--ignore-scripts'], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) console.log('npm could not look anything up; what is missing is written without its hash.');
  const found = readLock();
  for (const { place, entry } of findMissing(found.packages)) found.packages[place] = entry;
  found.packages = Object.fromEntries(Object.entries(found.packages).sort(([a], [b]) => a.localeCompare(b, 'en')));
  writeLock(found);
  const added = Object.keys(found.packages).filter((place) => !before.has(place)).length;
  console.log(`Added ${added} entries and ${unproven.length - findUnproven(found.packages).length} hashes.`);
}

/** Entries whose download nothing compares. What is linked, or comes inside another package, has no download of its own. */
function findUnproven(packages) {
  return Object.entries(packages)
    .filter(([place, { integrity, link, inBundle }]) => place !== '' && integrity === undefined && link !== true && inBundle !== true)
    .map(([place]) => place);
}

function describeUnproven(place) {
  return `package-lock.json holds no integrity of ${place}; run: node scripts/complete-lock.js, where the registry has that package.`;
}

/** Prints what is wrong and gives the status to exit with. */
function report(lines) {
  for (const line of lines) console.log(line);
  return lines.length > 0 ? 1 : 0;
}

function readLock() {
  return JSON.parse(readFileSync(path, 'utf8'));
}

function writeLock(content) {
  writeFileSync(path, `${JSON.stringify(content, null, 2)}\n`);
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
