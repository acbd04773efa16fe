/** Packages installed with ours that may be missing: they have a file for each platform. */
import { createRequire as requireFrom } from 'node:module';
import { BatutaError } from './errors.ts';

const requireHere = requireFrom(import.meta.url);

/**
 * A CommonJS package, by `require`: `import()` would first search its text for the names that it exports, which takes longer than loading it.
 *
 * @param _imported the same by `import()`. It is not called: it gives the type, and programs that list the files of a program look for it
 * @throws BatutaError PACKAGE_MISSING if it, or its file for this platform, is missing or does not load
 */
export function requirePackage<Loaded>(name: string, _imported: () => Promise<{ readonly default: Loaded }>): Loaded {
  try {
    return requireHere(name) as Loaded;
  } catch (error) {
    throw packageMissing(name, error);
  }
}

/** The error for an incomplete package; `cause` says what is missing. */
export function packageMissing(name: string, cause: unknown): BatutaError {
  const platform = `${process.platform}-${process.arch}`;
  return new BatutaError(
    'PACKAGE_MISSING',
    `The package "${name}" has no file for ${platform} here. Install the packages on this machine, the optional ones too: npm install --include=optional`,
    { cause, details: { package: name, platform } },
  );
}

/**
 * The import of `load`, for a package that users add if they need it.
 *
 * @param purpose what needs it, as the subject of a sentence
 * @throws BatutaError PACKAGE_MISSING if it is not installed or does not load
 */
export async function importOptional<Loaded>(name: string, purpose: string, load: () => Promise<Loaded>): Promise<Loaded> {
  try {
    return await load();
  } catch (cause) {
    throw new BatutaError(
      'PACKAGE_MISSING',
      `${purpose} needs the package "${name}", which cannot be loaded. Install it: npm install ${name}`,
      {
        cause,
        details: { package: name },
      },
    );
  }
}

/** Catches the `import()` passed to `importOptional`: bundlers allow a missing package if its import has its own catch. */
export function mayBeMissing(cause: unknown): never {
  throw cause;
}
