/** API keys and their roles. A key itself is shown only once, when created. */
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { send } from '../../api/http.ts';
import { keysQuery } from '../../api/list-queries.ts';
import { queryClient } from '../../api/query-client.ts';
import type { Key } from '../../api/wire-types.ts';
import { useNow } from '../../now.ts';
import { Confirm } from '../../parts/confirm.tsx';
import { Empty, Failed, LoadingRows } from '../../parts/notices.tsx';
import { ShortId } from '../../parts/short-id.tsx';
import table from '../../parts/table.module.css';
import { Time } from '../../parts/time.tsx';
import { KeyForm } from './key-form.tsx';
import style from './settings.module.css';

/** The list, with creating and revoking. */
export function KeysTab() {
  const { data, error, refetch } = useQuery(keysQuery);
  const [isMaking, setMaking] = useState(false);
  const [revoking, setRevoking] = useState<Key | null>(null);
  if (data === undefined)
    return error === null ? <LoadingRows rows={4} /> : <Failed what="The list of keys" error={error} retry={() => void refetch()} />;
  return (
    <div className={style.tab}>
      <div className={style.intro}>
        <p>
          An observer sees states, times and graphs, but no payloads and no logs. A viewer looks at all. An operator also runs, cancels,
          retries, pauses and backfills. An admin also deploys, deletes, and changes limits and keys.
        </p>
        <Button onClick={() => setMaking(true)}>Make a key</Button>
      </div>
      {data.length === 0 ? (
        <Empty title="No keys">
          On this machine nobody needs one. A server that others reach needs at least one key, else it does not start.
        </Empty>
      ) : (
        <KeyTable keys={data} onRevoke={setRevoking} />
      )}
      {isMaking ? <KeyForm onClose={() => setMaking(false)} isFirst={data.length === 0} /> : null}
      {revoking === null ? null : <Revoke apiKey={revoking} onClose={() => setRevoking(null)} />}
    </div>
  );
}

function KeyTable({ keys, onRevoke }: { readonly keys: readonly Key[]; readonly onRevoke: (key: Key) => void }) {
  const now = useNow(60_000);
  return (
    <table className={table.table}>
      <thead>
        <tr>
          <th>Name</th>
          <th>Id</th>
          <th>Role</th>
          <th>Last used</th>
          <th>Made</th>
          <th>Ends</th>
          <th aria-label="Actions" />
        </tr>
      </thead>
      <tbody>
        {keys.map((key) => {
          const isOver = key.revokedAt !== null || (key.expiresAt !== null && Date.parse(key.expiresAt) <= now);
          return (
            <tr key={key.id} className={isOver ? style.over : undefined}>
              <td className={table.strong}>{key.name}</td>
              <td data-label="Id">
                <ShortId id={key.id} />
              </td>
              <td data-label="Role">{key.role}</td>
              <td data-label="Last used">{key.lastUsedAt === null ? 'never' : <Time at={key.lastUsedAt} />}</td>
              <td data-label="Made">
                <Time at={key.createdAt} />
              </td>
              <td data-label="Ends">
                <End apiKey={key} />
              </td>
              <td className={table.deeds}>
                {isOver ? null : (
                  <Button variant="default" size="compact-xs" onClick={() => onRevoke(key)}>
                    Revoke
                  </Button>
                )}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function End({ apiKey: { revokedAt, expiresAt } }: { readonly apiKey: Key }) {
  if (revokedAt !== null) {
    return (
      <>
        revoked <Time at={revokedAt} />
      </>
    );
  }
  return expiresAt === null ? 'never' : <Time at={expiresAt} />;
}

function Revoke({ apiKey, onClose }: { readonly apiKey: Key; readonly onClose: () => void }) {
  const revoke = async (): Promise<void> => {
    await send('DELETE', `/keys/${encodeURIComponent(apiKey.id)}`);
    await queryClient.invalidateQueries({ queryKey: ['keys'] });
  };
  return (
    <Confirm opened onClose={onClose} title={`Revoke the key ${apiKey.name}`} destructive onConfirm={revoke}>
      <p>Whoever uses it is refused from now on, and is logged out of the dashboard. It cannot be taken back; a new key can be made.</p>
    </Confirm>
  );
}
