/**
 * All PNG images of a folder, small, on one sheet. Reading and shrinking an image is nothing but computing, so each is done in a thread: as many at the
 * same time as there are processors, none with more memory than it may have, and the run goes on logging, renewing and cancelling beside them.
 *
 * The pixels move from thread to thread; they are not copied. `batuta run flows/contact-sheet.ts --profile` keeps what each thread spent its time in.
 */
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Flow, move, Task, type TaskContext } from 'batuta';
import { PNG } from 'pngjs';
import { z } from 'zod';
import { blank, draw, type Pixels, shrink } from './formats/pixels.ts';

const params = z.object({
  /** Default: the pictures of Batuta's own dashboard. */
  folder: z.string().default(fileURLToPath(new URL('../docs/images/dashboard', import.meta.url))),
  /** Width of a small image, pixels. */
  width: z.coerce.number().int().min(16).max(1_000).default(240),
  columns: z.coerce.number().int().min(1).max(20).default(6),
  /** So many images are taken, the first by name. */
  limit: z.coerce.number().int().positive().default(200),
});
type Params = z.infer<typeof params>;

/** An image made small. */
interface Thumbnail extends Pixels {
  readonly name: string;
  /** As it was, pixels. */
  readonly original: readonly [width: number, height: number];
}

/** Between images, and around them, pixels. */
const gap = 8;
const paper = [238, 238, 238] as const;

@Flow({ description: 'All PNG images of a folder, small, on one sheet, made in threads.', tags: ['demo'] })
export class ContactSheet {
  static readonly params = params;
  static readonly result = 'sheet';

  @Task()
  async files(ctx: TaskContext<Params>): Promise<string[]> {
    const { folder, limit } = ctx.params;
    const names = (await readdir(folder)).filter((name) => name.toLowerCase().endsWith('.png')).sort();
    if (names.length === 0) throw new Error(`There is no PNG image in ${folder}.`);
    return names.slice(0, limit).map((name) => join(folder, name));
  }

  @Task({ each: 'files', isolate: 'thread', memory: '256 MB', timeout: '2m' })
  async thumbnail(file: string, ctx: TaskContext<Params>): Promise<Thumbnail> {
    const image = decode(file, await readFile(file));
    const small = shrink(image, ctx.params.width);
    return { ...small, data: move(small.data), name: basename(file), original: [image.width, image.height] };
  }

  @Task({ needs: ['thumbnail'], isolate: 'thread', memory: '512 MB', timeout: '2m' })
  async sheet(
    thumbnails: readonly Thumbnail[],
    ctx: TaskContext<Params>,
  ): Promise<{ images: number; width: number; height: number; pixelsRead: number }> {
    const { width, columns } = ctx.params;
    const rows = Array.from({ length: Math.ceil(thumbnails.length / columns) }, (_, at) =>
      thumbnails.slice(at * columns, (at + 1) * columns),
    );
    const heights = rows.map((row) => Math.max(...row.map(({ height }) => height)));
    const inRow = Math.min(columns, thumbnails.length);
    const sheet = blank(
      gap + inRow * (width + gap),
      heights.reduce((sum, height) => sum + height + gap, gap),
      paper,
    );
    let top = gap;
    for (const [at, row] of rows.entries()) {
      for (const [column, thumbnail] of row.entries()) draw(sheet, thumbnail, gap + column * (width + gap), top);
      top += (heights[at] ?? 0) + gap;
    }
    const { artifact } = ctx;
    await artifact.image('contact sheet', encode(sheet), { key: 'contact-sheet', alt: `${thumbnails.length} images` });
    await artifact.table(
      'images',
      thumbnails.map(({ name, original }) => ({ name, size: original.join(' × ') })),
    );
    const pixelsRead = thumbnails.reduce((sum, { original }) => sum + original[0] * original[1], 0);
    return { images: thumbnails.length, width: sheet.width, height: sheet.height, pixelsRead };
  }
}

function decode(file: string, bytes: Buffer): Pixels {
  try {
    return PNG.sync.read(bytes);
  } catch (cause) {
    throw new Error(`${file} cannot be read as PNG: ${(cause as Error).message}`, { cause });
  }
}

function encode({ width, height, data }: Pixels): Buffer {
  const image = new PNG({ width, height });
  image.data = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return PNG.sync.write(image);
}
