/**
 * Code of others that is bundled into `dist`, and the notices their licences ask for.
 *
 * Packages are told by the paths of the modules that went into a bundle; what a bundler adds of its own stands under its name.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const licenceFile = /^(licen[cs]e|copying|notice)([.-].*)?$/i;
const rule = '-'.repeat(80);

/** Modules that bundlers write themselves, by the start of their id. */
const ofBundlers = [
  ['\0vite/', 'vite'],
  ['rolldown/runtime', 'rolldown'],
  ['\0rolldown/', 'rolldown'],
];

/**
 * Folders of the packages that modules come from, once each.
 *
 * @param root folder of the project
 * @param modules ids as esbuild's metafile and Rolldown give them: paths, perhaps with a query, or made-up names
 */
export function findPackages(root, modules) {
  const folders = new Set();
  for (const id of modules) {
    const bundler = ofBundlers.find(([start]) => id.startsWith(start))?.[1];
    const inside = /^(?:\0)?(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id.split('?')[0])?.[1];
    if (bundler !== undefined) folders.add(join(root, 'node_modules', bundler));
    else if (inside !== undefined) folders.add(inside.startsWith('/') || /^[A-Z]:/.test(inside) ? inside : join(root, inside));
  }
  return [...folders].sort();
}

/**
 * The notices, in the order of names: `name@version (licence)`, then the texts that the package comes with.
 *
 * @throws Error for a package whose licence is not known, or that comes without its text where that text is not the same for all
 */
export function writeNotices(folders) {
  const packages = new Map();
  for (const folder of folders) {
    const { name, version, license, author } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    if (typeof license !== 'string') throw new Error(`${name} ${version} is bundled, and its package.json names no licence.`);
    packages.set(`${name}@${version}`, { license, text: readLicence(folder) ?? standardText(name, license, author) });
  }
  const sections = [...packages]
    .sort(([a], [b]) => a.localeCompare(b, 'en'))
    .map(([id, { license, text }]) => `${rule}\n${id} (${license})\n${rule}\n\n${text.trim()}\n`);
  return ['Batuta contains code of these packages, each under its own licence.\n', ...sections].join('\n');
}

/** What the notices at `path` name, as `name@version`. */
export function listNoticed(path) {
  if (!existsSync(path)) throw new Error(`${path} is missing; run: npm run build`);
  return [...readFileSync(path, 'utf8').matchAll(/^-{80}\n(\S+@\S+) \(.+\)\n-{80}$/gm)].map(([, id]) => id);
}

function readLicence(folder) {
  const names = readdirSync(folder)
    .filter((name) => licenceFile.test(name))
    .sort();
  if (names.length === 0) return null;
  return names.map((name) => readFileSync(join(folder, name), 'utf8').replaceAll('\r\n', '\n').trim()).join('\n\n');
}

/** For a package that names the MIT licence and leaves its text out. */
function standardText(name, license, author) {
  const holder = typeof author === 'string' ? author : author?.name;
  if (license !== 'MIT' || holder === undefined)
    throw new Error(`${name} is bundled, and comes without the text of its licence (${license}).`);
  return `MIT License

Copyright (c) ${holder.replace(/\s*<.*/, '')}

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the
"Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish,
distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to
the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF
MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY
CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE
SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;
}
