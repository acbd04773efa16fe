/**
 * Makes a screenshot small: at most 256 colours, which is all that a calm page has, in an indexed PNG.
 *
 * Reads what browsers write (8 bits, RGB or RGBA, not interlaced). Half of the colours are the most frequent, half those that differ most from all that
 * were chosen, so that a small red cross stays red; all others become the nearest of them.
 */
import { deflateSync, inflateSync } from 'node:zlib';

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const mostColours = 256;

/** The same picture as an indexed PNG. @throws Error when it is no PNG of that kind */
export function smallPng(png) {
  const { width, height, pixels, channels } = decode(png);
  const counts = new Map();
  for (let at = 0; at < pixels.length; at += channels) {
    const colour = (pixels[at] << 16) | (pixels[at + 1] << 8) | pixels[at + 2];
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  const palette = paletteOf(counts);
  const indexes = new Map(palette.map(([colour], index) => [colour, index]));
  for (const colour of counts.keys()) if (!indexes.has(colour)) indexes.set(colour, nearest(palette, colour));

  // Without filters: neighbours in a palette say nothing of each other.
  const rows = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const at = (y * width + x) * channels;
      rows[y * (width + 1) + 1 + x] = indexes.get((pixels[at] << 16) | (pixels[at + 1] << 8) | pixels[at + 2]);
    }
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 3, 0, 0, 0], 8);
  const colours = Buffer.from(palette.flatMap(([colour]) => [colour >> 16, (colour >> 8) & 255, colour & 255]));
  return Buffer.concat([
    signature,
    chunk('IHDR', head),
    chunk('PLTE', colours),
    chunk('IDAT', deflateSync(rows, { level: 9, memLevel: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** Colours with their counts, 256 at most. */
function paletteOf(counts) {
  const colours = [...counts].sort((one, other) => other[1] - one[1]);
  const palette = colours.slice(0, mostColours / 2);
  const rest = colours.slice(mostColours / 2).map((one) => ({ one, far: Math.min(...palette.map(([other]) => distance(one[0], other))) }));
  while (palette.length < mostColours && rest.length > 0) {
    const worth = ({ one, far }) => far * Math.sqrt(one[1]);
    const at = rest.reduce((best, each, index) => (worth(each) > worth(rest[best]) ? index : best), 0);
    const [{ one }] = rest.splice(at, 1);
    palette.push(one);
    for (const each of rest) each.far = Math.min(each.far, distance(each.one[0], one[0]));
  }
  return palette;
}

function nearest(palette, colour) {
  return palette.reduce((best, [other], index) => (distance(colour, other) < distance(colour, palette[best][0]) ? index : best), 0);
}

/** How differently two colours are seen. */
function distance(one, other) {
  const red = (one >> 16) - (other >> 16);
  const green = ((one >> 8) & 255) - ((other >> 8) & 255);
  const blue = (one & 255) - (other & 255);
  return 2 * red * red + 4 * green * green + 3 * blue * blue;
}

function decode(png) {
  if (!png.subarray(0, 8).equals(signature)) throw new Error('This is no PNG.');
  const parts = [];
  let head;
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at);
    const type = png.toString('latin1', at + 4, at + 8);
    const data = png.subarray(at + 8, at + 8 + length);
    if (type === 'IHDR') head = data;
    if (type === 'IDAT') parts.push(data);
    at += length + 12;
  }
  const [depth, kind, , , interlaced] = head.subarray(8);
  const channels = { 2: 3, 6: 4 }[kind];
  if (depth !== 8 || channels === undefined || interlaced !== 0) throw new Error('This PNG is of a kind that is not read here.');
  const width = head.readUInt32BE(0);
  const height = head.readUInt32BE(4);
  return { width, height, channels, pixels: unfilter(inflateSync(Buffer.concat(parts)), width * channels, height, channels) };
}

/** Undoes the filters of the rows (PNG specification, section 9.2). */
function unfilter(data, stride, height, channels) {
  const pixels = Buffer.alloc(stride * height);
  for (let y = 0; y < height; y += 1) {
    const filter = data[y * (stride + 1)];
    for (let x = 0; x < stride; x += 1) {
      const here = y * stride + x;
      const left = x < channels ? 0 : pixels[here - channels];
      const above = y === 0 ? 0 : pixels[here - stride];
      const corner = x < channels || y === 0 ? 0 : pixels[here - stride - channels];
      pixels[here] = data[y * (stride + 1) + 1 + x] + [0, left, above, (left + above) >> 1, paeth(left, above, corner)][filter];
    }
  }
  return pixels;
}

function paeth(left, above, corner) {
  const guess = left + above - corner;
  const [toLeft, toAbove, toCorner] = [Math.abs(guess - left), Math.abs(guess - above), Math.abs(guess - corner)];
  if (toLeft <= toAbove && toLeft <= toCorner) return left;
  return toAbove <= toCorner ? above : corner;
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(checksum(body), body.length + 4);
  return out;
}

const table = Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value >>> 0;
});

function checksum(data) {
  let sum = 0xffffffff;
  for (const byte of data) sum = table[(sum ^ byte) & 255] ^ (sum >>> 8);
  return (sum ^ 0xffffffff) >>> 0;
}
