import { describe, expect, it } from 'vitest';
import { graphLines, type GraphPicture } from '../../../src/cli/render/graph-ascii.ts';
import { mermaidLines } from '../../../src/cli/commands/flows.ts';

function picture(needs: Readonly<Record<string, readonly string[]>>): GraphPicture {
  return {
    nodes: Object.keys(needs).map((name) => ({ name, label: name })),
    edges: Object.entries(needs).flatMap(([to, froms]) => froms.map((from) => ({ from, to, kind: 'data' as const }))),
  };
}

describe('the drawing of a graph', () => {
  it('draws a pipeline from left to right', () => {
    const lines = graphLines(
      picture({ flights: [], airports: [], join: ['flights', 'airports'], delays: ['join'], write: ['delays'], worst: ['delays'] }),
      100,
    );
    expect(lines).toEqual([
      'flights ──╮                      ╭──▸ write',
      '          ├──▸ join ───▸ delays ─┤',
      'airports ─╯                      ╰──▸ worst',
    ]);
  });

  it('leads a line past the tasks between', () => {
    expect(graphLines(picture({ a: [], b: ['a'], c: ['b'], d: ['c', 'a'] }), 100)).toEqual([
      '   ╭──▸ b ───▸ c ─╮',
      'a ─┤              ├──▸ d',
      '   ╰──────────────╯',
    ]);
  });

  it('draws three that need two each without a line that could be read as another', () => {
    expect(graphLines(picture({ a: [], b: [], x: ['a'], y: ['b'], z: ['a', 'b'] }), 100)).toEqual([
      '   ╭────▸ x',
      'a ─┤',
      '   ╰─┬──▸ z',
      'b ───┤',
      '     ╰──▸ y',
    ]);
  });

  it('a graph too wide for the terminal, or too large, becomes a list', () => {
    const chain = Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`step${at}`, at === 0 ? [] : [`step${at - 1}`]]));
    expect(graphLines(picture(chain), 100).slice(0, 3)).toEqual(['step0', 'step1  ← step0', 'step2  ← step1']);
    const many = Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`t${at}`, at === 0 ? [] : ['t0']]));
    expect(graphLines(picture(many), 100)).toHaveLength(200);
  });

  it('every graph of up to 50 tasks can be drawn, and no line is wider than asked', () => {
    let seed = 7;
    const random = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
    for (let round = 0; round < 60; round++) {
      const size = 2 + Math.floor(random() * 49);
      const needs: Record<string, string[]> = {};
      for (let at = 0; at < size; at++) {
        needs[`t${at}`] =
          at === 0 ? [] : [...new Set(Array.from({ length: Math.floor(random() * 3) }, () => `t${Math.floor(random() * at)}`))];
      }
      const lines = graphLines(picture(needs), 120);
      const text = lines.join('\n');
      for (const name of Object.keys(needs)) expect(text).toMatch(new RegExp(`(^|\\W)${name}(\\W|$)`, 'm'));
      for (const line of lines) expect(line.length).toBeLessThanOrEqual(120);
    }
  });
});

describe('Mermaid', () => {
  it('shows data, items and order by different lines, and escapes names', () => {
    const lines = mermaidLines({
      nodes: [
        { name: 'list', label: 'list' },
        { name: 'end', label: 'end[] "x"' },
        { name: 'größe', label: 'größe' },
      ],
      edges: [
        { from: 'list', to: 'end', kind: 'each' },
        { from: 'end', to: 'größe', kind: 'order' },
        { from: 'list', to: 'größe', kind: 'data' },
      ],
    });
    expect(lines).toEqual([
      'flowchart LR',
      '  list["list"]',
      '  n1_["end[] &quot;x&quot;"]',
      '  n2_["größe"]',
      '  list ==> n1_',
      '  n1_ -.-> n2_',
      '  list --> n2_',
    ]);
  });
});
