/** Maps the functions of a CPU profile to the user's files, from the modules made from them. */
import type { Profiler } from 'node:inspector';
import { findSourceMap, type SourceMap } from 'node:module';

interface Place {
  readonly url: string;
  /** From 0, as in profiles. */
  readonly line: number;
  readonly column: number;
}

/**
 * The profile with source positions, for all modules whose source maps this thread has read. A function without one keeps its place, as
 * does anything added by a compiler.
 */
export function atSources(profile: Profiler.Profile): Profiler.Profile {
  const maps = new Map<string, SourceMap | null>();
  const mapOf = (url: string): SourceMap | null => {
    let map = maps.get(url);
    if (map === undefined) maps.set(url, (map = url === '' || url.startsWith('node:') ? null : (findSourceMap(url) ?? null)));
    return map;
  };
  return { ...profile, nodes: profile.nodes.map((node) => nodeAtSource(node, mapOf(node.callFrame.url))) };
}

function nodeAtSource(node: Profiler.ProfileNode, map: SourceMap | null): Profiler.ProfileNode {
  const { callFrame, positionTicks } = node;
  const place = map && placeIn(map, callFrame.url, callFrame.lineNumber, callFrame.columnNumber);
  if (map === null || place === null) return node;
  // A line may be of another file, if code was inlined into the function.
  const ticks = positionTicks?.flatMap(({ line, ticks: count }) => {
    const at = placeIn(map, callFrame.url, line - 1, Number.MAX_SAFE_INTEGER);
    return at?.url === place.url ? [{ line: at.line + 1, ticks: count }] : [];
  });
  return {
    ...node,
    callFrame: { ...callFrame, url: place.url, lineNumber: place.line, columnNumber: place.column },
    ...(ticks === undefined ? {} : { positionTicks: ticks }),
  };
}

function placeIn(map: SourceMap, module: string, line: number, column: number): Place | null {
  const entry = map.findEntry(line, column);
  if (!('originalSource' in entry) || !entry.originalSource) return null;
  const { originalSource: source, originalLine, originalColumn } = entry;
  // A relative path is one from the module.
  const url = URL.canParse(source) ? source : URL.canParse(source, module) ? new URL(source, module).href : source;
  return { url, line: originalLine, column: originalColumn };
}
