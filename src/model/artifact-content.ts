/** Content of a non-file artifact, as a file. Pure. */
import { Buffer } from 'node:buffer';
import { safeFileName } from './file-name.ts';
import type { Artifact } from './run.ts';

/** Markdown as is, the rest as JSON. */
export function plainContent({ kind, name, data }: Pick<Artifact, 'kind' | 'name' | 'data'>): {
  readonly fileName: string;
  readonly type: string;
  readonly bytes: number;
  readonly pieces: AsyncIterable<Uint8Array>;
} {
  const isText = kind === 'markdown' && typeof data === 'string';
  const text = Buffer.from(isText ? data : `${JSON.stringify(data, null, 2)}\n`);
  return {
    fileName: `${safeFileName(name)}.${isText ? 'md' : 'json'}`,
    type: isText ? 'text/markdown; charset=utf-8' : 'application/json; charset=utf-8',
    bytes: text.byteLength,
    pieces: (async function* () {
      yield text;
    })(),
  };
}
