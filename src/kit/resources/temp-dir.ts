/** The ready resource `tempDir`: a folder deleted with its scope. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BatutaError } from '../../base/errors.ts';
import type { Resource, ResourceScopeName } from '../../model/resource.ts';
import { resource } from '../../resources/resource.ts';

/** Options of `tempDir`. */
export interface TempDirOptions<S extends ResourceScopeName = 'run'> {
  /** Its lifetime. Default `run`. */
  readonly scope?: S | undefined;
  /** Parent folder. Default that of the system. */
  readonly parent?: string | undefined;
  /** Whether to keep it for inspection if its scope failed; the log has its path. Default false. */
  readonly keepOnFailure?: boolean | undefined;
}

/**
 * An empty folder only for its owner, removed with its contents. Its value is the path.
 *
 * If a process is killed, the system clears what it left in the temporary folder.
 *
 * @throws BatutaError NAME_INVALID, OPTION_INVALID
 * @example
 * ```ts
 * const scratch = tempDir('scratch');
 * const path = join(await ctx.use(scratch), 'rows.csv');
 * ```
 */
export function tempDir<const S extends ResourceScopeName = 'run'>(
  name: string,
  options: TempDirOptions<S> = {},
): Resource<string, void, S> {
  const { parent = tmpdir(), keepOnFailure = false } = options;
  if (typeof parent !== 'string' || parent === '')
    throw new BatutaError('OPTION_INVALID', `tempDir('${name}'): parent must be the path of a folder.`);
  return resource(
    name,
    async function* (ctx) {
      const path = await mkdtemp(join(parent, `batuta-${name.replaceAll(/[^\w.-]/g, '_')}-`));
      let isKept = keepOnFailure;
      try {
        yield path;
        isKept = false;
      } finally {
        if (isKept) ctx.log.warn(`Its scope has failed; kept ${path}`);
        else await rm(path, { recursive: true, force: true, maxRetries: 3 });
      }
    },
    { scope: options.scope ?? ('run' as S) },
  );
}
