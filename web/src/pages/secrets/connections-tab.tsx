/** Connections: their kinds and fields, when they were set and by whom. */
import { connectionsQuery } from '../../api/secret-queries.ts';
import type { ConnectionRow } from '../../api/wire-types.ts';
import table from '../../parts/table.module.css';
import { ChangedBy } from './changed-by.tsx';
import { ConnectionForm } from './connection-form.tsx';
import { ValueList } from './value-list.tsx';
import style from './secrets.module.css';

/** The list. */
export function ConnectionsTab() {
  return (
    <ValueList<ConnectionRow>
      kind="connections"
      query={connectionsQuery}
      add="Add a connection"
      change="Change"
      intro="Where databases and services are, and what opens them; tasks read them with ctx.connection. Secret fields are never shown."
      empty={{ title: 'No connections', command: 'connection set warehouse --kind postgres -f host=db' }}
      columns={['Kind', 'Fields', 'Changed']}
      cells={({ name, kind, fields, secrets, updatedAt }) => (
        <>
          <td data-label="Kind">{kind}</td>
          <td className={`${table.soft ?? ''} ${table.whole ?? ''}`}>
            <span className={style.text}>{fields === undefined ? 'for admins' : fieldsText(fields, secrets ?? {})}</span>
          </td>
          <td data-label="Changed">
            <ChangedBy action="connections.set" name={name} updatedAt={updatedAt} />
          </td>
        </>
      )}
      form={(connection, close) => <ConnectionForm connection={connection} onClose={close} />}
    />
  );
}

function fieldsText(fields: Readonly<Record<string, unknown>>, secrets: Readonly<Record<string, string | null>>): string {
  const plain = Object.entries(fields).map(([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const secret = Object.entries(secrets).map(([name, reference]) => `${name} ${reference ?? 'set'}`);
  return [...plain, ...secret].join(' · ');
}
