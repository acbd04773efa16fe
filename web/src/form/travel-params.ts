/** Parameters of an earlier run for a form, and back: a form holds JSON, and unedited values are sent unchanged. Pure. */
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
 * The parameters to send: unedited fields unchanged, with their types.
 *
 * @param before the form's initial parameters
 * @param wanted `edited`: only what was changed, for parameters that the server has already
 */
export function sentParams(params: Params, before: unknown, wanted: 'all' | 'edited' = 'all'): unknown {
  const typed = typeof before === 'object' && before !== null ? (before as Params) : {};
  const plain = plainParams(before);
  const isKept = (name: string): boolean => Object.hasOwn(typed, name) && JSON.stringify(params[name]) === JSON.stringify(plain[name]);
  const names = Object.keys(params).filter((name) => wanted === 'all' || !isKept(name));
  return superjson.serialize(Object.fromEntries(names.map((name) => [name, isKept(name) ? typed[name] : params[name]])));
}
