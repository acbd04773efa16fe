/** `ctx.artifact`: checks what a task shows and passes it on. */
import { inspect } from 'node:util';
import { isLongerThan } from '../base/cut-text.ts';
import { BatutaError } from '../base/errors.ts';
import type { ArtifactOptions, ArtifactSource, ArtifactImageOptions } from './artifact.ts';
import { chartData } from './chart.ts';
import type { ArtifactWriter } from './context.ts';

/** What a task shows, checked. */
export interface ArtifactWish {
  readonly kind: 'markdown' | 'table' | 'link' | 'json' | 'chart';
  readonly name: string;
  readonly data: unknown;
  readonly key: string | null;
}

/** A file or image, read where it is stored. */
export interface FileWish {
  readonly kind: 'file' | 'image';
  readonly name: string;
  readonly source: ArtifactSource;
  readonly key: string | null;
  readonly type?: string | undefined;
  readonly fileName?: string | undefined;
  readonly alt?: string | undefined;
}

/** Stores checked input. */
export interface ArtifactKeeper {
  put(wish: ArtifactWish): Promise<void>;
  putFile(wish: FileWish): Promise<void>;
  /** @param value from 0 to 1 */
  setProgress(name: string, value: number, label: string | null): void;
}

/** Longest artifact key, characters. */
const maxKeyChars = 200;

/** Its methods can be detached. */
export function artifactWriter(keeper: ArtifactKeeper): ArtifactWriter {
  const put = async (kind: ArtifactWish['kind'], name: string, data: unknown, options?: ArtifactOptions | null): Promise<void> =>
    keeper.put({ kind, name: checkName(name), data, key: keyOf(name, options?.key) });
  const putFile = async (
    kind: FileWish['kind'],
    name: string,
    source: ArtifactSource,
    options?: ArtifactImageOptions | null,
  ): Promise<void> => {
    const { key, type, fileName, alt } = options ?? {};
    return keeper.putFile({ kind, name: checkName(name), source, key: keyOf(name, key), type, fileName, alt });
  };
  return {
    markdown: (name, text, options) => put('markdown', name, String(text), options),
    table: (name, rows, options) => put('table', name, rows, options),
    link: (name, url, options) => put('link', name, String(url), options),
    json: (name, data, options) => put('json', name, data, options),
    image: (name, source, options) => putFile('image', name, source, options),
    file: (name, source, options) => putFile('file', name, source, options),
    chart: async (name, chart, options) => put('chart', name, chartData(checkName(name), chart), options),
    progress: (name, value, label) => keeper.setProgress(checkName(name), shareOf(name, value), label === undefined ? null : String(label)),
  };
}

function checkName(name: unknown): string {
  if (typeof name === 'string') return name;
  throw new BatutaError('ARTIFACT_INVALID', `An artifact has ${typeof name} as its name: a text is wanted.`);
}

function keyOf(name: string, key: unknown): string | null {
  if (key === undefined || key === null) return null;
  // oxlint-disable-next-line no-control-regex -- those are what is refused.
  if (typeof key === 'string' && key !== '' && !isLongerThan(key, maxKeyChars) && !/[\u0000-\u001f\u007f]/.test(key) && key.trim() === key)
    return key.toWellFormed();
  throw new BatutaError(
    'ARTIFACT_INVALID',
    `The key of artifact '${name}' must be a text of 1 to ${maxKeyChars} characters, without control characters and without blanks at its ends.`,
    { details: { artifact: name } },
  );
}

function shareOf(name: string, value: number | { readonly percent: number }): number {
  const isPercent = typeof value === 'object' && value !== null;
  const given: unknown = isPercent ? value.percent : value;
  const share = typeof given === 'number' ? given / (isPercent ? 100 : 1) : Number.NaN;
  if (share >= 0 && share <= 1) return share;
  throw new BatutaError(
    'ARTIFACT_INVALID',
    `The progress '${name}' takes a number from 0 to 1, or { percent } from 0 to 100, not ${inspect(value)}.`,
    { details: { artifact: name } },
  );
}
