/**
 * Mutation testing of what Stryker takes for text: the conditions, assignments and orders of SQL statements.
 *
 * Makes a copy of the repository in which each of them hangs on a `true` of its own, and lets Stryker make those `false`: then a condition
 * always holds (one of several alternatives: never), a column keeps its value, rows come in no order. Prints what no test has noticed.
 *
 *   npm run mutate:sql -- src/store/leases/leases.ts src/store/ownership.ts
 *
 * `BATUTA_MUTATE_TESTS` names the tests, parted by blanks, as for `npm run mutate`. `--show` prints the changed files instead of testing them.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import ts from 'typescript59';

/** Words that end a condition, an assignment or an order at their own depth of brackets. */
const bounds = new Set(
  'where on when then else end order returning limit group having for union join left set from select values do update with insert delete'.split(
    ' ',
  ),
);
/** After these something has to follow, so that a placeholder is part of the same condition. */
const open = /^(?:[=<>+\-*/,(.]|<=|>=|<>|\|\||in|not|and|or|is|exists|like|distinct|between|by)$/;

/** @typedef {{ text: string, start: number, end: number, depth: number }} Token */
/** @typedef {{ at: number, remove: number, insert: string }} Edit */

/** The words, signs and placeholders of a literal, by their places in the file. */
function tokensOf(source, literal) {
  /** @type {Token[]} */
  const tokens = [];
  let depth = 0;
  const read = (start, end) => {
    const word = /'(?:[^'\\]|'')*'|\\'(?:(?!\\').)*\\'|[\w$.:"]+|<=|>=|<>|\|\||\S/gy;
    word.lastIndex = start;
    while (word.lastIndex < end) {
      const space = /\s*/y;
      space.lastIndex = word.lastIndex;
      space.exec(source);
      word.lastIndex = space.lastIndex;
      if (word.lastIndex >= end) return;
      const found = word.exec(source);
      if (found === null) return;
      const [text] = found;
      if (text === ')') depth--;
      tokens.push({ text: text.toLowerCase(), start: found.index, end: found.index + text.length, depth });
      if (text === '(') depth++;
    }
  };
  if (!ts.isTemplateExpression(literal)) read(literal.getStart() + 1, literal.end - 1);
  else {
    read(literal.head.getStart() + 1, literal.head.end - 2);
    let placeholder = literal.head.end - 2;
    for (const { literal: rest } of literal.templateSpans) {
      tokens.push({ text: '$', start: placeholder, end: rest.getStart() + 1, depth });
      const isLast = rest.kind === ts.SyntaxKind.TemplateTail;
      read(rest.getStart() + 1, rest.end - (isLast ? 1 : 2));
      placeholder = rest.end - 2;
    }
  }
  return tokens;
}

/** Runs of tokens at one depth, each with what opens it; what stands in brackets within belongs to it. */
function regionsOf(tokens) {
  const regions = [];
  const visit = (from, depth, opener) => {
    let region = { opener, items: [] };
    let at = from;
    for (; at < tokens.length && tokens[at].depth >= depth; at++) {
      const token = tokens[at];
      if (token.depth > depth) continue;
      const before = tokens[at - 1];
      // A placeholder that stands by itself may hold anything: a lock, a condition of its own, nothing.
      const isLoose = token.text === '$' && region.items.length > 0 && before !== undefined && !open.test(before.text);
      if (bounds.has(token.text) || isLoose) {
        regions.push(region);
        region = { opener: !isLoose ? token.text : region.opener === 'set' ? 'set' : 'loose', items: [] };
        continue;
      }
      region.items.push(token);
      if (token.text === '(') {
        const end = visit(at + 1, depth + 1, '(');
        region.items.push(...tokens.slice(at + 1, end));
        at = end - 1;
      }
    }
    regions.push(region);
    return at;
  };
  visit(0, 0, 'start');
  return regions;
}

/** Splits a region at these words of its own depth. */
function split({ items }, words) {
  const parts = [{ before: null, items: [] }];
  const depth = items[0]?.depth ?? 0;
  for (const token of items) {
    if (token.depth === depth && words.includes(token.text)) parts.push({ before: token.text, items: [] });
    else parts.at(-1).items.push(token);
  }
  return parts.filter(({ items: own }) => own.length > 0);
}

/** @returns {Edit[]} */
function editsOf(source, tokens) {
  const edits = [];
  for (const region of regionsOf(tokens)) {
    const { opener, items } = region;
    const [first] = items;
    if (first === undefined) continue;
    if (opener === 'order' && first.text === 'by') {
      const order = tokens[tokens.indexOf(first) - 1];
      edits.push({ at: order.start, remove: 0, insert: `\${true ? \`` }, { at: items.at(-1).end, remove: 0, insert: `\` : ''}` });
      continue;
    }
    const terms = split(region, ['and', 'or']);
    const isComparison = /[=<>]|\bis (?:not )?null\b|\b(?:in|exists) [($]/.test(items.map(({ text }) => text).join(' '));
    const isCondition = ['where', 'on', 'when'].includes(opener)
      ? first.text !== 'conflict' && (isComparison || first.text === '$')
      : ['(', 'start'].includes(opener) && terms.length > 1 && isComparison;
    if (isCondition) {
      terms.forEach(({ before, items: own }, at) => {
        const isAlternative = before === 'or' || (before === null && terms[at + 1]?.before === 'or');
        edits.push({ at: own[0].start, remove: 0, insert: '(' });
        edits.push({ at: own.at(-1).end, remove: 0, insert: `\${true ? '' : '${isAlternative ? ' and 1 = 0' : ' or 1 = 1'}'})` });
      });
    } else if (opener === 'set' || (opener === 'start' && terms.length === 1)) {
      for (const { items: own } of split(region, [','])) {
        const [column, sign, value] = own[0].text === '$' ? own.slice(1) : own;
        if (column === undefined) continue;
        if (!/^[a-z_]+$/.test(column.text) || sign?.text !== '=' || value === undefined || value.text === 'case') continue;
        edits.push(
          { at: value.start, remove: 0, insert: `\${true ? \`` },
          { at: own.at(-1).end, remove: 0, insert: `\` : '${column.text}'}` },
        );
      }
    }
  }
  return edits;
}

function changed(path) {
  const source = readFileSync(path, 'utf8');
  const file = ts.createSourceFile(path, source, ts.ScriptTarget.Latest, true);
  /** @type {Edit[]} */
  const edits = [];
  const visit = (node) => {
    if (ts.isImportDeclaration(node)) return;
    const isText = ts.isTemplateExpression(node) || ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node);
    if (isText && !ts.isLiteralTypeNode(node.parent)) {
      const own = editsOf(source, tokensOf(source, node));
      const isPlain = own.length > 0 && ts.isStringLiteral(node);
      if (isPlain) edits.push({ at: node.getStart(), remove: 1, insert: '`' });
      edits.push(...own);
      if (isPlain) edits.push({ at: node.end - 1, remove: 1, insert: '`' });
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  // Stable: what stands at one place stays in the order in which it was found, inner before outer at an end.
  let text = '';
  let read = 0;
  for (const { at, remove, insert } of edits
    .map((edit, order) => ({ ...edit, order }))
    .toSorted((a, b) => a.at - b.at || a.order - b.order)) {
    text += source.slice(read, at) + insert;
    read = at + remove;
  }
  return text + source.slice(read);
}

const asked = process.argv.slice(2);
const files = asked.filter((file) => !file.startsWith('--'));
if (files.length === 0) throw new Error('Name the files with statements that are to be changed.');
if (asked.includes('--show')) {
  for (const file of files) process.stdout.write(`${changed(file)}\n`);
  process.exit(0);
}

const root = resolve(import.meta.dirname, '..');
const copy = mkdtempSync(join(tmpdir(), 'batuta-mutate-sql-'));
try {
  for (const file of execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: root, encoding: 'utf8' }).split('\n')) {
    if (file === '' || /^(?:docs|web|flows|bench|test\/(?:e2e|chaos|packages))\//.test(file)) continue;
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(root, file), join(copy, file));
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  for (const file of files) writeFileSync(join(copy, file), changed(join(root, file)));
  const config = JSON.parse(readFileSync(join(root, 'stryker.config.json'), 'utf8'));
  const others = [
    'ArithmeticOperator',
    'ArrayDeclaration',
    'ArrowFunction',
    'AssignmentOperator',
    'BlockStatement',
    'ConditionalExpression',
  ];
  others.push('EqualityOperator', 'LogicalOperator', 'MethodExpression', 'OptionalChaining', 'Regex', 'UnaryOperator', 'UpdateOperator');
  const mutator = { excludedMutations: [...config.mutator.excludedMutations, ...others] };
  writeFileSync(join(copy, 'stryker.config.json'), JSON.stringify({ ...config, mutator, mutate: files, ignoreStatic: false }));
  const { status } = spawnSync(join(copy, 'node_modules/.bin/stryker'), ['run'], { cwd: copy, stdio: 'inherit' });
  mkdirSync(join(root, 'reports'), { recursive: true });
  if (status === 0) cpSync(join(copy, 'reports/mutation.json'), join(root, 'reports/mutation-sql.json'));
  process.exitCode = status ?? 1;
} finally {
  rmSync(copy, { recursive: true, force: true });
}
