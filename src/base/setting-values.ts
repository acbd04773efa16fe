/** Kinds of settings: how text becomes a value, and a value text. Readers throw an Error that says what the value must be. */
import { parseDuration } from './duration.ts';
import { maskAddress } from './mask.ts';

/** How to read a value, and print it, secrets hidden. */
export interface Kind<T> {
  /** @throws Error (or BatutaError) whose message says what the value must be */
  read(value: unknown): T;
  show(value: T): string;
}

const hidden = '********';

/** Non-empty text, without surrounding space. */
export const text: Kind<string> = {
  read(value) {
    if (typeof value === 'string' && value.trim() !== '') return value.trim();
    throw new Error('must be text that is not empty');
  },
  show: String,
};

/** Text that is not shown. */
export const secret: Kind<string> = { read: text.read, show: () => hidden };

/** Of a kind, or unset, shown as nothing. */
export function optional<T>(kind: Kind<T>): Kind<T | null> {
  return { read: kind.read, show: (value) => (value === null ? '' : kind.show(value)) };
}

/** A URL with one of the given beginnings. Shown without its password, and any password in its query. */
export function url(...starts: readonly string[]): Kind<string> {
  return {
    read(value) {
      const address = text.read(value);
      if (!starts.some((start) => address.startsWith(start) && address.length > start.length)) {
        throw new Error(`must start with ${starts.map((start) => `'${start}'`).join(' or ')} followed by more text`);
      }
      if (!address.startsWith('sqlite:') && !URL.canParse(address)) throw new Error('must be a URL');
      return address;
    },
    show: (value) => maskAddress(value, hidden),
  };
}

/** A URL with a placeholder, such as `{traceId}` for `traceId`: `https://tempo.example/trace/{traceId}`. */
export function link(name: string): Kind<string> {
  const place = `{${name}}`;
  return {
    read(value) {
      const template = text.read(value);
      const filled = template.replaceAll(place, '0');
      if (!/^https?:\/\/./.test(template) || !URL.canParse(filled) || filled === template || /[{}]/.test(filled))
        throw new Error(`must be a URL such as 'https://tempo.example/trace/${place}', with ${place} in it and no other braces`);
      return template;
    },
    show: (value) => maskAddress(value, hidden),
  };
}

/** The path a site is served under: `/` alone becomes nothing, a trailing slash is removed. */
export const basePath: Kind<string> = {
  read(value) {
    const path = typeof value === 'string' ? value.trim().replace(/\/$/, '') : null;
    const isPath = path !== null && /^(?:\/[\w.~-]+)*$/.test(path) && !path.split('/').some((part) => part === '.' || part === '..');
    if (isPath) return path;
    throw new Error("must be a path such as '/batuta', of letters, digits, -, _, . and ~");
  },
  show: String,
};

/** A list of paths, or text separated by commas. Frozen, at least one. */
export const paths: Kind<readonly string[]> = {
  read(value) {
    const parts: readonly unknown[] =
      typeof value === 'string' ? value.split(',').filter((part) => part.trim() !== '') : Array.isArray(value) ? value : [];
    if (parts.length === 0) throw new Error('must name at least one folder or file');
    return Object.freeze(parts.map(text.read));
  },
  show: (value) => value.join(','),
};

/** A list of hosts, or text separated by commas. Frozen, may be empty. */
export const hosts: Kind<readonly string[]> = {
  read(value) {
    const parts: readonly unknown[] = typeof value === 'string' ? value.split(',') : Array.isArray(value) ? value : [null];
    const named = parts.map((part) => (typeof part === 'string' ? part.trim() : '?')).filter((part) => part !== '');
    const wrong = named.find((part) => !/^(?:\*|[\w.:-]+(?:\/\d{1,3})?)$/.test(part));
    if (wrong !== undefined) throw new Error(`must name hosts, addresses or ranges such as 10.1.0.0/16, not '${wrong}'`);
    return Object.freeze(named);
  },
  show: (value) => value.join(','),
};

/** A whole number from `min` to `max`, as a number or digits. */
export function whole(min: number, max: number): Kind<number> {
  return {
    read(value) {
      const number = typeof value === 'string' && /^\s*\d+\s*$/.test(value) ? Number(value) : value;
      if (typeof number === 'number' && Number.isInteger(number) && number >= min && number <= max) return number;
      throw new Error(`must be a whole number from ${min} to ${max}`);
    },
    show: String,
  };
}

/** A duration of at least `minMs`; bare digits are milliseconds. */
export function duration(minMs: number): Kind<number> {
  return {
    read(value) {
      const ms = parseDuration(typeof value === 'string' && /^\s*\d+\s*$/.test(value) ? Number(value) : value);
      if (ms < minMs) throw new Error(`must be at least ${showMs(minMs)}`);
      return ms;
    },
    show: showMs,
  };
}

const units: Readonly<Record<string, number>> = { '': 1, b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** A size as `65536`, `64KiB`, `64 KB`, `64k`, `1.5MiB`; K, M and G are powers of 1024. In bytes. */
export function bytes(min: number, max: number): Kind<number> {
  return {
    read(value) {
      const [, digits, unit = ''] = /^\s*(\d+(?:\.\d+)?)\s*(?:([kmg])(?:i?b)?|b)?\s*$/i.exec(String(value)) ?? [];
      const size = digits === undefined ? Number.NaN : Number(digits) * (units[unit.toLowerCase()] ?? Number.NaN);
      if (Number.isInteger(size) && size >= min && size <= max) return size;
      throw new Error(`must be a size from ${showBytes(min)} to ${showBytes(max)}`);
    },
    show: showBytes,
  };
}

/** One of some words, in any case. */
export function oneOf<T extends string>(allowed: readonly T[]): Kind<T> {
  return {
    read(value) {
      const found = allowed.find((one) => typeof value === 'string' && one === value.trim().toLowerCase());
      if (found === undefined) throw new Error(`must be one of ${allowed.join(', ')}`);
      return found;
    },
    show: String,
  };
}

/** True for true, 1, yes, on; false for false, 0, no, off; any case. */
export const boolean: Kind<boolean> = {
  read(value) {
    const word = String(value).trim().toLowerCase();
    if (['true', '1', 'yes', 'on'].includes(word)) return true;
    if (['false', '0', 'no', 'off'].includes(word)) return false;
    throw new Error('must be true or false');
  },
  show: String,
};

/** A size in the largest unit that is exact, in the form that is read back. */
export function showBytes(size: number): string {
  return inLargestUnit(size, { GiB: 1024 ** 3, MiB: 1024 ** 2, KiB: 1024 }, '');
}

/** A duration in the largest unit that is exact, in the form that is read back. */
export function showMs(ms: number): string {
  return inLargestUnit(ms, { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000 }, 'ms');
}

function inLargestUnit(amount: number, sizes: Readonly<Record<string, number>>, smallest: string): string {
  for (const [unit, size] of Object.entries(sizes)) if (amount >= size && amount % size === 0) return `${amount / size}${unit}`;
  return `${amount}${smallest}`;
}
