/** A graph as a Mermaid flowchart. */
import type { GraphPicture } from './graph-ascii.ts';

const arrows = { data: '-->', each: '==>', order: '-.->' } as const;

/** Lines of `flowchart LR`: plain arrows carry data, thick ones one item each, dotted ones only say what comes first. */
export function mermaidLines({ nodes, edges }: GraphPicture): string[] {
  const idOf = new Map(nodes.map(({ name }, at) => [name, /^[A-Za-z][A-Za-z0-9_]*$/.test(name) && name !== 'end' ? name : `n${at}_`]));
  const escaped = (text: string): string =>
    text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return [
    'flowchart LR',
    ...nodes.map(({ name, label }) => `  ${idOf.get(name)}["${escaped(label)}"]`),
    ...edges.map(({ from, to, kind }) => `  ${idOf.get(from)} ${arrows[kind]} ${idOf.get(to)}`),
  ];
}
