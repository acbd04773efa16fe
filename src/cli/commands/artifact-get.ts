/** `batuta artifact get`: saves the content of an artifact. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream, existsSync, statSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { finished } from 'node:stream/promises';
import type { Writable } from 'node:stream';
import { byteSize } from '../../base/byte-size.ts';
import { BatutaError } from '../../base/errors.ts';
import { artifactFileOf } from '../../model/artifact.ts';
import { safeFileName } from '../../model/file-name.ts';
import type { CommandContext, ExitStatus, JsonOption } from '../context.ts';
import { withClient } from '../open.ts';
import { printJson } from '../print.ts';
import { usage } from '../read-options.ts';
import { oneLine } from '../render/width.ts';
import { idOf } from './artifacts.ts';

interface Options extends JsonOption {
  readonly key?: string;
  readonly output?: string;
  readonly force?: boolean;
}

/**
 * Writes a temporary file and renames it, so that its name never shows half a file.
 *
 * @throws BatutaError USAGE (the file is there already), ARTIFACT_NOT_FOUND, RESULT_MISSING (it is damaged)
 */
export async function getArtifact(context: CommandContext, id: string | undefined, options: Options): Promise<ExitStatus> {
  const { terminal } = context;
  if (options.output === '-' && options.json) throw usage('--json does not go with --output -.');
  return withClient(context, async ({ artifacts }) => {
    const artifact = await artifacts.get(await idOf(artifacts, id, options.key));
    const { fileName, type, pieces } = await artifacts.content(artifact.id);
    const sha256 = artifactFileOf(artifact)?.sha256 ?? null;
    if (options.output === '-') {
      await copy(pieces, process.stdout, sha256, artifact.id);
      return 0;
    }
    const path = pathFor(terminal.cwd, options.output, safeFileName(fileName));
    if (existsSync(path) && !options.force) throw usage(`${path} is there already; --force replaces it.`);
    const temporary = `${path}.${process.pid}.part`;
    try {
      const file = createWriteStream(temporary, { flags: 'wx' });
      const bytes = await copy(pieces, file, sha256, artifact.id);
      file.end();
      await finished(file);
      await rename(temporary, path);
      if (options.json) return printJson(terminal, { id: artifact.id, path, type, bytes, sha256 });
      terminal.out.line(`${path}  ${oneLine(type)}, ${byteSize(bytes)}`);
      return 0;
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  });
}

function pathFor(cwd: string, output: string | undefined, fileName: string): string {
  const path = resolve(cwd, output ?? fileName);
  return existsSync(path) && statSync(path).isDirectory() ? join(path, fileName) : path;
}

/** Returns the number of bytes. */
async function copy(pieces: AsyncIterable<Uint8Array>, target: Writable, sha256: string | null, id: string): Promise<number> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const piece of pieces) {
    hash.update(piece);
    bytes += piece.byteLength;
    if (!target.write(piece)) await once(target, 'drain');
  }
  if (sha256 !== null && hash.digest('hex') !== sha256)
    throw new BatutaError('RESULT_MISSING', `What was received of artifact ${id} is not what was stored: its hash differs.`, {
      details: { artifactId: id, reason: 'damaged' },
    });
  return bytes;
}
