/** Errors thrown by callbacks of `queueMicrotask`. */

/**
 * Passes what a callback of `queueMicrotask` throws to `take`, in the async context of that callback, until the returned function is called.
 * Node.js passes it to the listeners of the process without that context, so that they cannot know whose it is.
 *
 * @param take false if the error is to go its usual way
 */
export function takeFromMicrotasks(take: (error: unknown) => boolean): () => void {
  const original = globalThis.queueMicrotask;
  let isHeld = true;
  const ours = (callback: () => void): void => {
    if (!isHeld || typeof callback !== 'function') original(callback);
    else original(() => callAndTake(callback, take));
  };
  globalThis.queueMicrotask = ours;
  return () => {
    isHeld = false;
    // Somebody may have put a function of theirs in front of it.
    if (globalThis.queueMicrotask === ours) globalThis.queueMicrotask = original;
  };
}

function callAndTake(callback: () => void, take: (error: unknown) => boolean): void {
  try {
    callback();
  } catch (error) {
    if (!take(error)) throw error;
  }
}
