/** When answers and their connections end. */
import type { ServerResponse } from 'node:http';

/**
 * Calls `act` once, when the answer has been sent or its connection has ended; never if already so. An answer queued behind others of its
 * connection is not notified of the end itself. Returns a function that cancels the call.
 */
export function onceGone(raw: ServerResponse, act: () => void): () => void {
  const ends = [raw, raw.req.socket];
  const stop = (): void => {
    for (const one of ends) one.removeListener('close', gone);
  };
  const gone = (): void => {
    stop();
    act();
  };
  for (const one of ends) one.once('close', gone);
  return stop;
}

/** Whether the caller has hung up. */
export function isGone({ closed, destroyed, req }: ServerResponse): boolean {
  return closed || destroyed || req.socket.destroyed;
}
