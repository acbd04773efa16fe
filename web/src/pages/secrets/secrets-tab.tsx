/** Secrets: names, storage, when they were set and by whom. */
import type { SecretRow } from '../../api/wire-types.ts';
import { secretsQuery } from '../../api/secret-queries.ts';
import table from '../../parts/table.module.css';
import { ChangedBy } from './changed-by.tsx';
import { RotateSecrets } from './rotate-secrets.tsx';
import { SecretForm } from './secret-form.tsx';
import { ValueList } from './value-list.tsx';
import style from './secrets.module.css';

/** The list. */
export function SecretsTab() {
  return (
    <ValueList<SecretRow>
      kind="secrets"
      query={secretsQuery}
      add="Add a secret"
      change="Set"
      intro="Keys, passwords and tokens that tasks read by name with ctx.secret. Nobody reads them back; viewers see their names."
      more={<RotateSecrets />}
      empty={{ title: 'No secrets', command: 'secret set stripe-key' }}
      columns={['Kept', 'Changed']}
      cells={({ name, kind, reference, keyId, updatedAt }) => (
        <>
          <td data-label="Kept" className={table.soft}>
            {kind === undefined ? (
              'for admins'
            ) : kind === 'stored' ? (
              `encrypted with the key ${keyId ?? ''}`
            ) : (
              <code className={style.text}>{reference}</code>
            )}
          </td>
          <td data-label="Changed">
            <ChangedBy action="secrets.set" name={name} updatedAt={updatedAt} />
          </td>
        </>
      )}
      form={(secret, close) => <SecretForm secret={secret} onClose={close} />}
    />
  );
}
