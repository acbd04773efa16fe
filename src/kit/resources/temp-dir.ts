/** The ready resource `tempDir`: a folder that is gone with its scope. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BatutaError } from '../../base/errors.ts';
import type { Resource, ResourceScopeName } from '../../model/resource.ts';
import { resource } from '../../resources/resource.ts';

/** Options of `tempDir`. */
export interface TempDirOptions<S extends ResourceScopeName = 'run'> {
  /** How long it is there. Default `run`. */
  readonly scope?: S | undefined;
  /** Folder in which it is made. Default that of the system. */
  readonly parent?: string | undefined;
  /** Whether it stays when its scope failed, so that one can look; the log has its path. Default false. */
  readonly keepOnFailure?: boolean | undefined;
}

/**
 * An empty folder of its own, for its owner alone, removed with all that is in it. Its value is the path.
 *
 * What a process that is killed leaves stays in the folder of the system, which clears it.
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
