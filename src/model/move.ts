/** Bytes passed between threads without copying: which may be, and which are gone. */
import { BatutaError } from '../base/errors.ts';

/** Input of `move`. */
export type Movable = ArrayBuffer | ArrayBufferView;

interface Known {
  /** Buffers user code has given away. */
  readonly given: WeakSet<ArrayBufferLike>;
  /** Values nobody else has. */
  readonly own: WeakSet<object>;
  /** Buffers moved to another thread. */
  readonly gone: WeakSet<ArrayBufferLike>;
}

/** Behind a `Symbol.for`: two copies of the library may be loaded. */
const key = Symbol.for('batuta.movedBytes');
type Holder = { [key]?: Known };
const { given, own, gone }: Known = ((globalThis as Holder)[key] ??= { given: new WeakSet(), own: new WeakSet(), gone: new WeakSet() });

/**
 * Gives bytes away: on their way to or from a task with `isolate: 'thread'` they are moved, not copied, and the value is empty (detached)
 * where it was. Returns the value itself, so it can be used in a result: `return { width, pixels: move(pixels) }`.
 *
 * What does not cross to a thread is passed as usual. A view of part of a buffer takes the whole buffer along. A `Buffer` in Node's shared
 * pool for small ones, and WebAssembly memory, cannot be moved and are copied.
 *
 * @throws BatutaError OPTION_INVALID for anything but an ArrayBuffer, typed array, DataView or Buffer, and for a SharedArrayBuffer, which
 *   both sides would have; BUFFER_MOVED if the bytes are gone
 */
export function move<T extends Movable>(value: T): T {
  const buffer: unknown = ArrayBuffer.isView(value) ? value.buffer : value;
  if (typeof SharedArrayBuffer !== 'undefined' && buffer instanceof SharedArrayBuffer)
    throw new BatutaError('OPTION_INVALID', 'move() takes no SharedArrayBuffer: its bytes are shared and cannot be given away.');
  if (!(buffer instanceof ArrayBuffer))
    throw new BatutaError('OPTION_INVALID', 'move() takes an ArrayBuffer, a typed array, a DataView or a Buffer.');
  refuseGone(buffer, 'value given to move()');
  given.add(buffer);
  return value;
}

/** Whether user code has given the buffer away. */
export function isGiven(buffer: ArrayBufferLike): boolean {
  return given.has(buffer);
}

/** Notes that user code has given a buffer away. */
export function noteGiven(buffer: ArrayBuffer): void {
  given.add(buffer);
}

/** Notes that nobody else has the value, or, with `false`, that others may have it. */
export function noteOwn(value: unknown, isOwn = true): void {
  if (typeof value !== 'object' || value === null) return;
  if (isOwn) own.add(value);
  else own.delete(value);
}

/** Whether nobody else has the value. */
export function isOwn(value: unknown): boolean {
  return typeof value === 'object' && value !== null && own.has(value);
}

/** Notes that buffers moved to another thread. */
export function noteGone(buffers: readonly ArrayBuffer[]): void {
  for (const buffer of buffers) gone.add(buffer);
}

/** @param what e.g. `argument 1 of task blur` @throws BatutaError BUFFER_MOVED */
export function refuseGone(buffer: ArrayBufferLike, what: string): void {
  if (!gone.has(buffer)) return;
  throw new BatutaError(
    'BUFFER_MOVED',
    `The ${what}: bytes in it were moved to another thread before, so nothing is left of them here. Give a copy to one of the two: bytes.slice().`,
  );
}
