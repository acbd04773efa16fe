/** Asks before a limit is deleted. */
import { send } from '../../api/http.ts';
import { queryClient } from '../../api/query-client.ts';
import type { Limit } from '../../api/wire-types.ts';
import { Confirm } from '../../parts/confirm.tsx';
import { plural } from '../../parts/format.ts';

/** Says what follows for those that wait. */
export function DeleteLimit({ limit, onClose }: { readonly limit: Limit; readonly onClose: () => void }) {
  const remove = async (): Promise<void> => {
    await send('DELETE', `/limits/${encodeURIComponent(limit.name)}`);
    await queryClient.invalidateQueries({ queryKey: ['limits'] });
  };
  return (
    <Confirm opened onClose={onClose} title={`Delete the limit ${limit.name}`} destructive onConfirm={remove}>
      <p>
        Nothing holds these tasks back any more.{' '}
        {limit.waiting === 0
          ? 'Nobody waits for it just now.'
          : `${plural(limit.waiting, 'one that waits starts', 'that wait start')} as soon as a worker is free.`}
      </p>
    </Confirm>
  );
}
