/** The documents of the repository, as tests read them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A code block: its language, the words after it, and its text. `at` is the line of its first line of code, from 1. */
export interface CodeBlock {
  readonly document: string;
  readonly at: number;
  readonly language: string;
  readonly words: readonly string[];
  readonly code: string;
}

export function listDocuments(): string[] {
  const guides = readdirSync('docs', { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.md'));
  return ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...guides.map((path) => join('docs', path))]
    .filter((path) => existsSync(path))
    .sort();
}

export function readBlocks(document: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  const lines = readFileSync(document, 'utf8').split('\n');
  for (let at = 0; at < lines.length; at++) {
    const opening = /^```(\S*)\s*(.*)$/.exec(lines[at] ?? '');
    if (opening === null) continue;
    const end = lines.indexOf('```', at + 1);
    if (end < 0) throw new Error(`${document}:${at + 1}: the code block has no end.`);
    const [, language = '', words = ''] = opening;
    blocks.push({
      document,
      at: at + 2,
      language,
      words: words.split(' ').filter(Boolean),
      code: `${lines.slice(at + 1, end).join('\n')}\n`,
    });
    at = end;
  }
  return blocks;
}

/** Rows of the first table whose head begins with `firstColumn`, cells trimmed, backticks taken off cells that are one word of code. */
export function readTable(document: string, firstColumn: string): string[][] {
  const lines = readFileSync(document, 'utf8').split('\n');
  const head = lines.findIndex((line) => line.startsWith(`| ${firstColumn} |`));
  if (head < 0) throw new Error(`${document} has no table that begins with ${firstColumn}.`);
  const rows = lines.slice(head + 2);
  const end = rows.findIndex((line) => !line.startsWith('|'));
  return rows.slice(0, end < 0 ? undefined : end).map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replace(/^`([^`\s]+)`$/, '$1')),
  );
}
