/** Positions of streams. */
import type { Connection } from '../connection.ts';
import { hasOwner, ownerTextOf } from '../ownership.ts';
import type { StreamPosition, StreamStore } from './contract.ts';

export function streamStore({ query }: Connection): StreamStore {
  return {
    async confirm(claim, { task, position }, at) {
      await query(
        `insert into stream_positions (run_id, task, position, at) select id, $4, $5, $6 from runs where id = $1 and epoch = $2 and ${hasOwner('$3')}
         on conflict (run_id, task) do update set position = excluded.position, at = excluded.at`,
        [claim.runId, claim.epoch, ownerTextOf(claim), task, position, at],
      );
    },
    async positionsOf(runId) {
      return await query<StreamPosition & Record<string, unknown>>('select task, position from stream_positions where run_id = $1', [
        runId,
      ]);
    },
  };
}
