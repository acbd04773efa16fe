/**
 * Draws a graph with lines in a terminal, from left to right; one that is too wide or too large becomes a list.
 *
 * In the channel between two columns, places that lead to exactly the same places share one upright. If a line leaves on a row on which
 * another arrives, the leaving one must turn off first, or the two would read as one line.
 */
import type { Edge } from '../../model/graph.ts';
import { type Layers, layOut, type Place } from './graph-layout.ts';
import { padEnd, widthOf } from './width.ts';

/** The part of a flow that is drawn. */
export interface GraphPicture {
  /** In topological order: each after all it waits for. */
  readonly nodes: readonly { readonly name: string /** As shown in the drawing. */; readonly label: string }[];
  readonly edges: readonly Edge[];
}

const maxDrawnNodes = 60;
const roomyRows = 10;
const [left, right, up, down] = [1, 2, 4, 8] as const;
const strokes: Readonly<Record<number, string>> = {
  1: '─',
  2: '─',
  3: '─',
  4: '│',
  8: '│',
  12: '│',
  5: '╯',
  6: '╰',
  9: '╮',
  10: '╭',
  7: '┴',
  11: '┬',
  13: '┤',
  14: '├',
  15: '┼',
};

/** Lines of the drawing, at most `width` cells wide. */
export function graphLines(picture: GraphPicture, width: number): string[] {
  const drawn = picture.nodes.length > maxDrawnNodes || picture.edges.length === 0 ? null : drawGraph(picture);
  return drawn !== null && drawn.every((line) => widthOf(line) <= width) ? drawn : listLines(picture);
}

/** One line per task with what it waits for. */
function listLines({ nodes, edges }: GraphPicture): string[] {
  const labelOf = new Map(nodes.map((node) => [node.name, node.label]));
  const cells = Math.max(0, ...nodes.map((node) => widthOf(node.label)));
  return nodes.map(({ name, label }) => {
    const froms = edges.filter((edge) => edge.to === name).map((edge) => labelOf.get(edge.from) ?? edge.from);
    return froms.length === 0 ? label : `${padEnd(label, cells)} ← ${froms.join(', ')}`;
  });
}

function drawGraph({ nodes, edges }: GraphPicture): string[] | null {
  const names = nodes.map((node) => node.name);
  const labels = new Map(nodes.map((node) => [node.name, node.label]));
  let layers = layOut(names, edges, 1);
  const tallest = Math.max(...layers.map((layer) => layer.length));
  if (tallest <= roomyRows) layers = layOut(names, edges, 2);
  const channels = routeAll(layers);
  if (!channels) return null;
  const canvas = new Canvas();
  let x = 0;
  for (const [at, layer] of layers.entries()) {
    const cells = Math.max(1, ...layer.map((place) => widthOf(labels.get(place.name ?? '') ?? '')));
    for (const place of layer) {
      const label = place.name === null ? null : (labels.get(place.name) ?? place.name);
      if (label !== null) canvas.text(place.row, x, label);
      const from = label === null ? x : x + widthOf(label) + 1;
      if (place.after.length > 0) canvas.across(place.row, from, x + cells + 1);
    }
    const channel = channels[at];
    if (channel) x = drawChannel(canvas, channel, layers[at + 1] ?? [], x + cells + 2);
  }
  return canvas.lines();
}

interface Channel {
  readonly buses: readonly Bus[];
  readonly tracks: number;
}

/** Routes every channel. If lines block each other, rows are spread so that later columns fall between the rows of earlier ones. */
function routeAll(layers: Layers): Channel[] | null {
  const channels: Channel[] = [];
  let spread = false;
  for (const [at, layer] of layers.slice(0, -1).entries()) {
    let channel = routeChannel(layer);
    if (!channel) {
      if (!spread) for (const place of layers.flat()) place.row *= 2;
      spread = true;
      for (const place of layers.slice(at + 1).flat()) place.row += place.row % 2 === (layer[0]?.row ?? 0) % 2 ? 1 : -1;
      channel = routeChannel(layer);
    }
    if (!channel) return null;
    channels.push(channel);
  }
  return channels;
}

/** Draws the lines between two columns, from `x` on; returns where the next column begins. */
function drawChannel(canvas: Canvas, { buses, tracks }: Channel, next: readonly Place[], x: number): number {
  const step = tracks > 6 ? 1 : 2;
  const trackAt = (bus: Bus): number => x + (bus.track ?? 0) * step;
  const end = x + Math.max(1, tracks * step) + 1;
  for (const bus of buses) if (bus.track !== null) canvas.upright(bus, trackAt(bus));
  for (const bus of buses) {
    const bend = bus.track === null ? null : trackAt(bus);
    for (const place of bus.from) canvas.line(place.row, x, bend ?? end - 1, bus);
    for (const place of bus.to) if (bend !== null) canvas.line(place.row, bend, end - 1, bus, { arriving: true });
  }
  for (const place of next.filter(({ before }) => before.length > 0)) {
    if (place.name === null) canvas.across(place.row, end, end + 1);
    else canvas.text(place.row, end, '▸');
  }
  return end + 2;
}

/** Cells of text and of strokes; a stroke knows which upright it belongs to. */
class Canvas {
  readonly #rows: string[][] = [];
  readonly #masks: number[][] = [];
  readonly #uprights = new Map<string, Bus>();

  text(row: number, x: number, text: string): void {
    const line = this.#row(row);
    for (const [at, char] of [...text].entries()) line[x + at] = char;
  }

  /** An unobstructed stretch from `from` to `to`, both included. */
  across(row: number, from: number, to: number): void {
    for (let x = from; x <= to; x++) this.#stroke(row, x, left | right);
  }

  /** An upright over all the rows of its bus. */
  upright(bus: Bus, x: number): void {
    const [top, bottom] = spanOf(bus);
    for (let row = top; row <= bottom; row++) {
      this.#stroke(row, x, (row > top ? up : 0) | (row < bottom ? down : 0));
      this.#uprights.set(`${row} ${x}`, bus);
    }
  }

  /** A line of a bus on one row; it passes under the uprights of others, except those that arrive where it arrives. */
  line(row: number, from: number, to: number, bus: Bus, options: { readonly arriving?: boolean } = {}): void {
    for (let x = from; x <= to; x++) {
      const upright = this.#uprights.get(`${row} ${x}`);
      if (upright === bus) this.#stroke(row, x, options.arriving ? right : left);
      else if (!upright || upright.to.some((place) => place.row === row)) this.#stroke(row, x, left | right);
    }
  }

  lines(): string[] {
    return this.#masks.length === 0 && this.#rows.length === 0
      ? []
      : Array.from({ length: Math.max(this.#rows.length, this.#masks.length) }, (_, row) => this.#lineOf(row));
  }

  #lineOf(row: number): string {
    const chars = this.#rows[row] ?? [];
    const masks = this.#masks[row] ?? [];
    return Array.from({ length: Math.max(chars.length, masks.length) }, (_, x) => chars[x] ?? strokes[masks[x] ?? 0] ?? ' ')
      .join('')
      .trimEnd();
  }

  #row(row: number): string[] {
    return (this.#rows[row] ??= []);
  }

  #stroke(row: number, x: number, mask: number): void {
    const masks = (this.#masks[row] ??= []);
    masks[x] = (masks[x] ?? 0) | mask;
  }
}

/** Lines that share an upright. */
export interface Bus {
  readonly from: readonly Place[];
  readonly to: readonly Place[];
  /** Column of the upright in the channel, from 0; null if the line is straight and needs none. */
  track: number | null;
}

/** Rows a bus covers, both ends included. */
export function spanOf(bus: Bus): readonly [top: number, bottom: number] {
  const rows = [...bus.from, ...bus.to].map((place) => place.row);
  return [Math.min(...rows), Math.max(...rows)];
}

/** Assigns every bus its track; null if lines block each other in a cycle, which other rows must resolve. */
export function routeChannel(left: readonly Place[]): { readonly buses: readonly Bus[]; readonly tracks: number } | null {
  const buses = busesOf(left);
  const bent = buses.filter((bus) => !isStraight(bus));
  const waitsFor = new Map(bent.map((bus) => [bus, bent.filter((other) => mustTurnFirst(other, bus))]));
  const placed: Bus[] = [];
  while (placed.length < bent.length) {
    const ready = bent.filter((bus) => bus.track === null && (waitsFor.get(bus) ?? []).every((other) => other.track !== null));
    const next = ready[0];
    if (!next) return null;
    const least = Math.max(-1, ...(waitsFor.get(next) ?? []).map((other) => other.track ?? 0)) + 1;
    next.track = firstFree(next, least, placed);
    placed.push(next);
  }
  return { buses, tracks: Math.max(0, ...placed.map((bus) => (bus.track ?? 0) + 1)) };
}

function busesOf(left: readonly Place[]): Bus[] {
  const byTargets = new Map<string, { from: Place[]; to: Place[]; track: null }>();
  for (const place of left) {
    if (place.after.length === 0) continue;
    const to = [...place.after].sort((a, b) => a.row - b.row);
    const key = to.map((target) => target.row).join(',');
    const bus = byTargets.get(key);
    if (bus) bus.from.push(place);
    else byTargets.set(key, { from: [place], to, track: null });
  }
  return [...byTargets.values()];
}

function isStraight(bus: Bus): boolean {
  return bus.from.length === 1 && bus.to.length === 1 && bus.from[0]?.row === bus.to[0]?.row;
}

/** Whether `bus` leaves on a row on which `other` arrives, and also leads elsewhere. */
function mustTurnFirst(bus: Bus, other: Bus): boolean {
  if (bus === other) return false;
  return bus.from.some(({ row }) => other.to.some((target) => target.row === row) && !(bus.to.length === 1 && bus.to[0]?.row === row));
}

function firstFree(bus: Bus, least: number, placed: readonly Bus[]): number {
  const [top, bottom] = spanOf(bus);
  for (let track = least; ; track++) {
    const taken = placed.some((other) => {
      const [otherTop, otherBottom] = spanOf(other);
      return other.track === track && otherTop <= bottom && otherBottom >= top;
    });
    if (!taken) return track;
  }
}
