/** Encrypts all secrets with the server's current key, and reports the result. */
import { Button, Group, Modal } from '@mantine/core';
import { useState } from 'react';
import type { RotationReport } from '../../../../src/client/secrets-client.ts';
import { send } from '../../api/http.ts';
import { usePermission } from '../../api/session.ts';
import { Action } from '../../parts/action.tsx';
import { Confirm } from '../../parts/confirm.tsx';
import { plural } from '../../parts/format.ts';
import { askAgain } from './delete-value.tsx';
import style from './secrets.module.css';

/** The button, with the question before it and the report after it. */
export function RotateSecrets() {
  const { why } = usePermission('admin');
  const [isAsking, setAsking] = useState(false);
  const [report, setReport] = useState<RotationReport | null>(null);
  const rotate = async (): Promise<void> => {
    setReport(await send<RotationReport>('POST', '/secrets/rotate'));
    await Promise.all([askAgain('secrets'), askAgain('connections')]);
  };
  return (
    <>
      <Action disabledReason={why} onClick={() => setAsking(true)}>
        Rotate
      </Action>
      <Confirm opened={isAsking} onClose={() => setAsking(false)} title="Rotate all secrets" onConfirm={rotate}>
        <p>
          All secrets, and those of connections, are encrypted anew with the current key of the server (<code>BATUTA_SECRET_KEY</code>).
          Those of before must be listed in <code>BATUTA_SECRET_KEY_OLD</code>, and all workers must have the new key already.
        </p>
      </Confirm>
      {report === null ? null : <Report report={report} onClose={() => setReport(null)} />}
    </>
  );
}

function Report({ report: { keyId, moved, current, failed }, onClose }: { readonly report: RotationReport; readonly onClose: () => void }) {
  return (
    <Modal opened onClose={onClose} title={failed.length === 0 ? 'Rotated' : `${plural(failed.length, 'secret')} could not be moved`}>
      <div className={style.form}>
        <p>
          {moved} moved to the key <code>{keyId}</code>, {current} had it already.
          {failed.length === 0 ? ' The old key is not needed any more.' : ''}
        </p>
        {failed.length === 0 ? null : (
          <>
            <ul>
              {failed.map(({ what, why }) => (
                <li key={what}>{why}</li>
              ))}
            </ul>
            <p>
              List the key of each in <code>BATUTA_SECRET_KEY_OLD</code> and rotate again, or set it anew.
            </p>
          </>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Close
          </Button>
        </Group>
      </div>
    </Modal>
  );
}
