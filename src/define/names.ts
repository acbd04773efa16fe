/** What a flow is called when its class says nothing. */

/** `FlightDelays` → `flight-delays`, `HTTPFetch` → `http-fetch`, `Etl2Load` → `etl2-load`, `$My_flow` → `my-flow`. */
export function kebabCase(name: string): string {
  return name
    .replace(/(\p{Lu}+)(\p{Lu}\p{Ll})/gu, '$1-$2')
    .replace(/([\p{Ll}\p{N}])(\p{Lu})/gu, '$1-$2')
    .replace(/[_$\s]+/gu, '-')
    .replace(/^-+|-+$/gu, '')
    .toLowerCase();
}
