/** The declarations that ship: what they name, a user can name too, and nothing of the inside is among it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import ts from 'typescript59';
import { beforeAll, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const dist = join(root, 'dist');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly exports: Record<string, { readonly import: { readonly types: string } } | string>;
  readonly dependencies: Record<string, string>;
};
const entries = Object.values(manifest.exports).flatMap((target) => (typeof target === 'string' ? [] : [join(root, target.import.types)]));

/**
 * Types by which the compiler works out what a decorator or a builder takes. Nobody declares anything of them, and what is shown of them are
 * their results.
 */
const workedOut = new Set([
  ...['Any', 'AnyClass', 'AnyWork', 'Method'],
  ...['AlsoWanted', 'Fault', 'Handed', 'MethodAt', 'MethodOf', 'MethodSpot', 'Wanted', 'Wiring'],
  ...['Chain', 'ContextWithTx', 'FieldOf', 'Hook', 'IfTaken', 'Named', 'TxFrom', 'ValueOf', 'WantedClass'],
]);

let checker: ts.TypeChecker;
/** What users can import, each once, with the name it is first found by. */
const exported = new Map<ts.Symbol, string>();
/** Entries that export nothing. */
const empty: string[] = [];

beforeAll(() => {
  const options: ts.CompilerOptions = {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    strict: true,
    types: ['node'],
    typeRoots: [join(root, 'node_modules/@types')],
  };
  const program = ts.createProgram(entries, options);
  checker = program.getTypeChecker();
  for (const entry of entries) {
    const file = program.getSourceFile(entry);
    if (file === undefined) throw new Error(`${relative(root, entry)} is not there: what package.json names has to be built.`);
    const module = checker.getSymbolAtLocation(file);
    const symbols = module === undefined ? [] : checker.getExportsOfModule(module);
    if (symbols.length === 0) empty.push(relative(dist, entry));
    for (const symbol of symbols) {
      const named = nameless(symbol);
      if (!exported.has(named)) exported.set(named, symbol.name);
    }
  }
}, 120_000);

function nameless(symbol: ts.Symbol): ts.Symbol {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
}

/** Every type that the declarations of a symbol name, private members left out, each with where it stands. */
function typesNamedBy(symbol: ts.Symbol): { readonly type: ts.Symbol; readonly at: ts.Node }[] {
  const found: { type: ts.Symbol; at: ts.Node }[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isClassElement(node) && isPrivate(node)) return;
    const name = typeNameOf(node);
    const type = name && checker.getSymbolAtLocation(name);
    if (name && type) found.push({ type: nameless(type), at: name });
    ts.forEachChild(node, visit);
  };
  for (const declaration of symbol.declarations ?? []) if (isOurs(declaration)) visit(declaration);
  return found;
}

function isPrivate(member: ts.ClassElement): boolean {
  return (
    (ts.getCombinedModifierFlags(member) & ts.ModifierFlags.Private) !== 0 ||
    (member.name !== undefined && ts.isPrivateIdentifier(member.name))
  );
}

function typeNameOf(node: ts.Node): ts.Node | undefined {
  if (ts.isTypeReferenceNode(node)) return ts.isQualifiedName(node.typeName) ? outermost(node.typeName) : node.typeName;
  if (ts.isExpressionWithTypeArguments(node)) return node.expression;
  if (ts.isImportTypeNode(node)) return node.qualifier;
  return undefined;
}

/** Of `StandardSchemaV1.InferOutput` the first name is what is imported. */
function outermost(name: ts.QualifiedName): ts.Node {
  return ts.isQualifiedName(name.left) ? outermost(name.left) : name.left;
}

function isOurs(declaration: ts.Declaration): boolean {
  return !relative(dist, declaration.getSourceFile().fileName).startsWith('..');
}

/** Whether it is there without an import: what `batuta flow types` adds to. */
function isGlobal(symbol: ts.Symbol): boolean {
  return (symbol.declarations ?? []).some(({ parent }) => ts.isModuleBlock(parent) && ts.isGlobalScopeAugmentation(parent.parent));
}

/** Whether everyone has it who has Node.js and a compiler. */
function isOfPlatform(symbol: ts.Symbol): boolean {
  const files = (symbol.declarations ?? []).map((declaration) => declaration.getSourceFile().fileName);
  return files.some((file) => /node_modules[\\/](typescript\w*[\\/]lib|@types[\\/]node|undici-types)[\\/]/.test(file));
}

test('every entry exports something, save the one that is imported for what it does', () => {
  expect(empty).toEqual([join('define', 'register.d.ts')]);
  expect(exported.size).toBeGreaterThan(300);
});

test('every type that a public signature names can be imported from a public entry, types of other packages by a name of ours', () => {
  const missing = new Set<string>();
  for (const [symbol, name] of exported)
    for (const { type, at } of typesNamedBy(symbol)) {
      if (
        type.flags & ts.SymbolFlags.TypeParameter ||
        exported.has(type) ||
        workedOut.has(type.name) ||
        isGlobal(type) ||
        isOfPlatform(type)
      )
        continue;
      const file = type.declarations?.[0]?.getSourceFile().fileName ?? '';
      missing.add(`${type.name} (${relative(root, file)}), named by ${name} in ${relative(dist, at.getSourceFile().fileName)}`);
    }
  expect([...missing].sort()).toEqual([]);
});

test('nothing of the inside is declared in what ships: no engine, no open store, no server', () => {
  const inside = /^(engine|broker|upkeep|observe|monitor|report|secrets|server(?!\/authorize\.d\.ts$)|cli)\/|^client\/(open-)?local-/;
  const shipped = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.d.ts'));
  expect(shipped.length).toBeGreaterThan(50);
  expect(shipped.filter((path) => inside.test(path.replaceAll('\\', '/').replace(/^cjs\//, '')))).toEqual([]);
  expect([...exported.values()].filter((name) => /^(Store|Recorder|Engine|LocalClient|ClientParts|Broker)$/.test(name))).toEqual([]);
});

test('declarations import nothing but themselves, Node.js and dependencies that bring types', () => {
  const shipped = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.d.ts'));
  const imported = shipped.flatMap((path) =>
    [...readFileSync(join(dist, path), 'utf8').matchAll(/(?:from|import)\s*\(?\s*['"]([^.'"][^'"]*)['"]/g)].map(([, name = '']) => name),
  );
  const packages = [...new Set(imported.map((name) => /^(@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? name))].filter(
    (name) => !name.startsWith('node:') && name !== 'batuta',
  );
  expect(packages).toContain('pino');
  expect(packages.filter((name) => !(name in manifest.dependencies) || name === 'pg')).toEqual([]);
});
