/** YAML as located nodes: each value is read with its kind checked; errors have file, line and column. */
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type YAMLParseError,
} from 'yaml';
import { BatutaError, type ErrorCode, type ErrorDetails } from '../../../base/errors.ts';
import { hintFor } from '../../../base/nearest.ts';

/** A map with checked key names. */
export interface YamlMap {
  readonly node: Node;
  /** The node of a key, undefined if missing. */
  get(key: string): Node | undefined;
  has(key: string): boolean;
}

/** One file. */
export class YamlFile {
  /** As in messages. */
  readonly name: string;
  readonly #lines = new LineCounter();
  readonly #document: Document;

  /** @throws BatutaError PIPELINE_INVALID for invalid YAML */
  constructor(name: string, text: string) {
    this.name = name;
    this.#document = parseDocument(text.replace(/^\uFEFF/, ''), { lineCounter: this.#lines, uniqueKeys: true, prettyErrors: false });
    const [error] = this.#document.errors;
    if (error) throw this.#error('PIPELINE_INVALID', this.#placeAt(error.pos[0]), sentenceOf(error), { yaml: error.code });
  }

  /** The file's content. @throws BatutaError PIPELINE_INVALID if it is empty */
  get root(): Node {
    const { contents } = this.#document;
    if (isNode(contents)) return contents;
    throw this.#error('PIPELINE_INVALID', `${this.name}:1:1`, 'it is empty; give pipeline and steps.');
  }

  /** `file:line:column` of a node. */
  placeOf(node: Node): string {
    return this.#placeAt(node.range?.[0] ?? 0);
  }

  /** @param what names the map in messages; @param known allowed keys */
  map(given: Node, what: string, known: readonly string[]): YamlMap {
    const node = this.#resolved(given);
    if (!isMap(node)) throw this.refuse(given, `${what} must be a map with keys, such as ${known.slice(0, 3).join(', ')}.`);
    const values = new Map<string, Node>();
    for (const { key, value } of node.items as Pair<Node, Node | null>[]) {
      const name = isScalar(key) ? String(key.value) : '';
      if (!known.includes(name)) throw this.refuse(key, `${what} has no key '${name}'.${hintFor(name, known, 'Its keys are')}`);
      if (isNode(value) && !(isScalar(value) && value.value === null)) values.set(name, value);
      else throw this.refuse(key, `'${name}' has no value.`);
    }
    return { node: given, get: (key) => values.get(key), has: (key) => values.has(key) };
  }

  /** Names and values of a map with free keys. */
  entries(given: Node, what: string): readonly (readonly [string, Node, Node])[] {
    const node = this.#resolved(given);
    if (!isMap(node)) throw this.refuse(given, `${what} must be a map.`);
    return (node.items as Pair<Node, Node | null>[]).map(({ key, value }) => {
      if (!isScalar(key) || !isNode(value)) throw this.refuse(key, `${what} needs a name and a value here.`);
      return [String(key.value), key, value] as const;
    });
  }

  list(given: Node, what: string): readonly Node[] {
    const node = this.#resolved(given);
    if (!isSeq(node)) throw this.refuse(given, `${what} must be a list: lines that begin with "- ".`);
    return node.items.map((item) => {
      if (isNode(item)) return item;
      throw this.refuse(node, `${what} has an empty line.`);
    });
  }

  isList(given: Node): boolean {
    return isSeq(this.#resolved(given));
  }

  /** Text, as written: `version: 1.0` is '1.0'. */
  text(given: Node, what: string): string {
    const node = this.#resolved(given);
    if (isScalar(node) && typeof node.value === 'string' && node.value !== '') return node.value;
    if (isScalar(node) && typeof node.value === 'number') return node.source ?? String(node.value);
    throw this.refuse(given, `${what} must be text.`);
  }

  /** A plain value: text, number, true or false, or a list of them. */
  plain(given: Node, what: string): unknown {
    const node = this.#resolved(given);
    if (isSeq(node)) return this.list(node, what).map((item) => this.plain(item, what));
    if (isScalar(node)) return node.value;
    throw this.refuse(given, `${what} must be text, a number, true or false, or a list of such.`);
  }

  refuse(node: Node, why: string, code: ErrorCode = 'PIPELINE_INVALID'): BatutaError {
    return this.#error(code, this.placeOf(node), why);
  }

  #resolved(node: Node): Node {
    if (!isAlias(node)) return node;
    const target = node.resolve(this.#document);
    if (target) return target;
    throw this.refuse(node, `there is no anchor &${node.source}.`);
  }

  #placeAt(offset: number): string {
    const { line, col } = this.#lines.linePos(offset);
    return `${this.name}:${line}:${col}`;
  }

  #error(code: ErrorCode, place: string, why: string, details: ErrorDetails = {}): BatutaError {
    return new BatutaError(code, `${place}: ${why}`, { details: { ...details, file: this.name, place } });
  }
}

function sentenceOf({ code, message }: YAMLParseError): string {
  if (code === 'MULTIPLE_DOCS') return 'a second document begins here; a file has one pipeline.';
  return message.replace(/\.?$/, '.');
}
