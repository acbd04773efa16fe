/** Default name of a flow. */

/** `FlightDelays` → `flight-delays`, `HTTPFetch` → `http-fetch`, `Etl2Load` → `etl2-load`, `$My_flow` → `my-flow`. */
export function kebabCase(name: string): string {
  return name
    .replace(/(\p{Lu}+)(\p{Lu}\p{Ll})/gu, '$1-$2')
    .replace(/([\p{Ll}\p{N}])(\p{Lu})/gu, '$1-$2')
    .replace(/[_$\s]+/gu, '-')
    .replace(/^-+|-+$/gu, '')
    .toLowerCase();
}

const warnedOf = new Set<string>();

/** Minifiers give classes names of one or two letters, different in each build. */
export function warnOfShortName(className: string, flow: string): void {
  if (className.length > 2 || warnedOf.has(className)) return;
  warnedOf.add(className);
  process.emitWarning(
    `The class ${className} gives its flow the name '${flow}'. If a minifier made it, the next build may give that name to another flow, and its runs ` +
      `with it: write @Flow({ name: '…' }), or keep names (esbuild --keep-names).`,
    { code: 'BATUTA_SHORT_NAME' },
  );
}
