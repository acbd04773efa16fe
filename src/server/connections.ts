/** When answers and the connections under them end. */
import type { ServerResponse } from 'node:http';

/**
 * Calls `act` once, when the answer has been sent or its connection has ended; never when that was so before. An answer that waits behind
 * others of its connection is not told of the end itself. Gives what takes the call back.
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

/** Whether whoever asked has hung up. */
export function isGone({ closed, destroyed, req }: ServerResponse): boolean {
  return closed || destroyed || req.socket.destroyed;
}
