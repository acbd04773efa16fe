/** One task run per item of a list: every file of a folder gets its checksum, a few at a time, and all of them one manifest. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { Flow, Task, type TaskContext } from 'batuta';
import { z } from 'zod';

const params = z.object({
  folder: z.string().default(fileURLToPath(new URL('../node_modules/vega-datasets/data/', import.meta.url))),
});
type Params = z.infer<typeof params>;

type Checksum = { file: string; bytes: number; sha256: string };

@Flow({ params, description: 'Checksums of all files of a folder.' })
export class FileChecksums {
  @Task()
  async files(ctx: TaskContext<Params>): Promise<string[]> {
    const entries = await readdir(ctx.params.folder, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => entry.name)
      .sort();
  }

  // Called once per file with that file; without `eachLimit` all would be open at the same time.
  @Task({ each: 'files', eachLimit: 4, retries: 2 })
  async checksum(file: string, ctx: TaskContext<Params>): Promise<Checksum> {
    const path = join(ctx.params.folder, file);
    const hash = createHash('sha256');
    await pipeline(createReadStream(path), hash, { signal: ctx.signal });
    return { file, bytes: (await stat(path)).size, sha256: hash.digest('hex') };
  }

  // Starts when the last item is done; gets the results in the order of the items.
  @Task({ needs: ['checksum'] })
  async manifest(checksums: Checksum[], ctx: TaskContext<Params>) {
    await ctx.artifact.table('manifest', checksums);
    return { files: checksums.length, bytes: checksums.reduce((sum, { bytes }) => sum + bytes, 0) };
  }
}
