/** Packages that are installed beside us and may be missing: they come with a file for each platform. */
import { BatutaError } from './errors.ts';

/**
 * What `load` imports.
 *
 * @param name of the package, for the message
 * @throws BatutaError PACKAGE_MISSING when it, or its file for this platform, is not there or does not load
 */
export async function importPackage<Loaded>(name: string, load: () => Promise<Loaded>): Promise<Loaded> {
  try {
    return await load();
  } catch (error) {
    throw packageMissing(name, error);
  }
}

/** The error for a package of which something is missing; it knows what in `cause`. */
export function packageMissing(name: string, cause: unknown): BatutaError {
  const platform = `${process.platform}-${process.arch}`;
  return new BatutaError(
    'PACKAGE_MISSING',
    `The package "${name}" has no file for ${platform} here. Install the packages on this machine, the optional ones too: npm install --include=optional`,
    { cause, details: { package: name, platform } },
  );
}

/**
 * What `load` imports of a package that users add when they want what it is for.
 *
 * @param purpose what needs it, as the subject of a sentence
 * @throws BatutaError PACKAGE_MISSING when it is not installed or does not load
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

/** Behind the `import()` that is handed to `importOptional`: bundlers let a package be missing whose import has a catch of its own. */
export function mayBeMissing(cause: unknown): never {
  throw cause;
}
