/**
 * Which modules of a bundle share a file.
 *
 * esbuild puts two modules into one chunk only if the same entries and dynamic imports reach both, which gives hundreds of small ones, and
 * the loader of Node takes almost a millisecond for each. Here modules are grouped by the situations that load them: each entry that needs
 * a module of a group imports the whole group, so that esbuild sees all of it reached from the same places. No situation loads a
 * module that it does not need, except some small ones, which cost less than a file of their own.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What is loaded together, by the modules it begins with. Modules that none of these loads are left to esbuild. */
const situations = {
  library: ['src/index.ts'],
  help: ['src/cli/run-cli.ts'],
  run: ['src/cli/commands/run.ts', 'src/define/load-flows.ts'],
  embedded: ['src/client/open-local-client.ts', 'src/store/open.ts', 'src/store/sqlite/connection.ts', 'src/broker/local/local-broker.ts'],
  remote: ['src/client/http/open.ts'],
  fleet: ['worker/main.ts', 'scheduler/main.ts', 'src/server/start.ts'],
  thread: ['src/define/isolate-entry.ts'],
  watchdog: ['worker/watchdog-thread.ts'],
};

/** Groups with fewer bytes of source join a larger one. */
const smallBytes = 24_000;
/** These load nothing that they do not need. */
const exact = new Set(['library', 'help', 'watchdog']);

/** Of these alone, esbuild makes large chunks by itself. */
const leftAlone = new Set(['fleet']);

/**
 * A plugin for a second build that groups the modules.
 *
 * @param {string} root folder of the repository
 * @param {import('esbuild').Metafile} metafile of a first build
 * @param {readonly string[]} entryPoints paths below the root
 * @returns {import('esbuild').Plugin}
 */
export function groupChunks(root, { inputs }, entryPoints) {
  const entries = new Set([...entryPoints, ...importedLater(inputs)].filter((path) => /^(src|worker|scheduler)\//.test(path)));
  const groups = groupsOf(inputs, entries);
  const imports = new Map([...entries].map((entry) => [join(root, entry), groupsOfEntry(inputs, groups, entry)]));
  return {
    name: 'group-chunks',
    setup(build) {
      build.onResolve({ filter: /^group:/ }, ({ path }) => ({ path, namespace: 'group' }));
      build.onLoad({ filter: /.*/, namespace: 'group' }, ({ path }) => ({
        contents: importsOf((groups.get(path) ?? []).map((member) => join(root, member))),
        resolveDir: root,
      }));
      build.onLoad({ filter: /\.ts$/, namespace: 'file' }, ({ path }) => {
        const needed = imports.get(path) ?? [];
        if (needed.length === 0) return null;
        const [, firstLine = '', rest] = /^(#!.*\n)?([^]*)$/.exec(readFileSync(path, 'utf8')) ?? [];
        return { contents: `${firstLine}${importsOf(needed)}${rest}`, loader: 'ts' };
      });
    },
  };
}

function importsOf(paths) {
  return paths.map((path) => `import ${JSON.stringify(path)};`).join('');
}

function importedLater(inputs) {
  return Object.values(inputs).flatMap(({ imports }) =>
    imports.filter(({ kind, external }) => kind === 'dynamic-import' && !external).map(({ path }) => path),
  );
}

/** Modules by the name of their group, without those that are loaded by their own name. */
function groupsOf(inputs, entries) {
  const reached = new Map();
  for (const [situation, roots] of Object.entries(situations)) {
    for (const path of closureOf(inputs, roots)) reached.set(path, [...(reached.get(path) ?? []), situation]);
  }
  const groups = new Map();
  for (const [path, by] of reached) {
    // Packages come along with the modules that use them.
    if (!path.startsWith('src/') || entries.has(path) || by.every((situation) => leftAlone.has(situation))) continue;
    const name = `group:${by.join('-')}`;
    const { members = [], bytes = 0 } = groups.get(name) ?? {};
    groups.set(name, { by, members: [...members, path], bytes: bytes + inputs[path].bytes });
  }
  joinSmall(groups);
  return new Map([...groups].map(([name, { members }]) => [name, members]));
}

/** Each small group joins the one that fewest other situations load, of those that all of its own load. */
function joinSmall(groups) {
  for (const [name, small] of [...groups].sort(([, a], [, b]) => a.bytes - b.bytes)) {
    if (small.bytes >= smallBytes) continue;
    const more = (by) => by.filter((situation) => !small.by.includes(situation));
    const joined = [...groups.values()]
      .filter(
        (one) =>
          one !== small &&
          small.by.every((situation) => one.by.includes(situation)) &&
          !more(one.by).some((situation) => exact.has(situation)),
      )
      .sort((a, b) => more(a.by).length - more(b.by).length)[0];
    if (joined === undefined) continue;
    joined.members.push(...small.members);
    joined.bytes += small.bytes;
    groups.delete(name);
  }
}

/** What an entry needs a module of, and what those need in turn. */
function groupsOfEntry(inputs, groups, entry) {
  const needed = new Set();
  for (let before = -1; before !== needed.size; ) {
    before = needed.size;
    const reached = closureOf(inputs, [entry, ...[...needed].flatMap((name) => groups.get(name) ?? [])]);
    for (const [name, members] of groups) if (members.some((member) => reached.has(member))) needed.add(name);
  }
  return [...needed];
}

/** These modules and all that they import before they run. */
function closureOf(inputs, roots) {
  const reached = new Set();
  const visit = (path) => {
    if (reached.has(path) || inputs[path] === undefined) return;
    reached.add(path);
    for (const { path: next, kind, external } of inputs[path].imports) if (!external && kind !== 'dynamic-import') visit(next);
  };
  for (const path of roots) visit(path);
  return reached;
}
