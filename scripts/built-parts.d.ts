/** A part of `dist`, by the argument of `scripts/build.js` that builds it; the notices are made when all is built. */
export type BuiltPart = '--js' | '--types' | '--web' | '--notices';

/** Whether the part was built from sources as they are now. */
export function isFresh(flag: BuiltPart): boolean;

/** Looks at the sources before a build; gives what notes, once it has succeeded, that these parts were built from them. */
export function beginBuild(flags: readonly BuiltPart[]): () => void;
