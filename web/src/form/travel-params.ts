/** Parameters of an earlier run for a form, and back: a form holds JSON, and what was left as it was is sent as it was. Pure. */
import superjson from 'superjson';

type Params = Readonly<Record<string, unknown>>;

/** As plain JSON: maps as lists of pairs, sets as lists, big integers as digits. */
export function plainParams(value: unknown): Params {
  try {
    const plain: unknown = JSON.parse(JSON.stringify(value, (_key, member: unknown) => plainMember(member)) ?? 'null');
    return typeof plain === 'object' && plain !== null && !Array.isArray(plain) ? (plain as Params) : {};
  } catch {
    return {};
  }
}

function plainMember(member: unknown): unknown {
  if (typeof member === 'bigint') return String(member);
  return member instanceof Map || member instanceof Set ? [...(member as Iterable<unknown>)] : member;
}

/**
 * What is sent: fields that were not edited with their types, as they were.
 *
 * @param before the parameters the form began with
 * @param wanted `edited`: only what was changed, for parameters that the server has already
 */
export function sentParams(params: Params, before: unknown, wanted: 'all' | 'edited' = 'all'): unknown {
  const typed = typeof before === 'object' && before !== null ? (before as Params) : {};
  const plain = plainParams(before);
  const isKept = (name: string): boolean => Object.hasOwn(typed, name) && JSON.stringify(params[name]) === JSON.stringify(plain[name]);
  const names = Object.keys(params).filter((name) => wanted === 'all' || !isKept(name));
  return superjson.serialize(Object.fromEntries(names.map((name) => [name, isKept(name) ? typed[name] : params[name]])));
}
