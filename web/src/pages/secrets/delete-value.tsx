/** Asks before a secret, a variable or a connection is deleted. */
import { send } from '../../api/http.ts';
import { queryClient } from '../../api/query-client.ts';
import { Confirm } from '../../parts/confirm.tsx';

/** Kinds of values, as named by the API. */
export type ValueKind = 'secrets' | 'variables' | 'connections';

const singular: Readonly<Record<ValueKind, string>> = { secrets: 'secret', variables: 'variable', connections: 'connection' };

interface DeleteValueProps {
  readonly kind: ValueKind;
  readonly name: string;
  readonly onClose: () => void;
}

/** Says what happens to flows that read it. */
export function DeleteValue({ kind, name, onClose }: DeleteValueProps) {
  const remove = async (): Promise<void> => {
    await send('DELETE', valuePath(kind, name));
    await askAgain(kind);
  };
  return (
    <Confirm opened onClose={onClose} title={`Delete the ${singular[kind]} ${name}`} destructive onConfirm={remove}>
      <p>Flows that read it fail from now on. It cannot be brought back.</p>
    </Confirm>
  );
}

/** Path below `/api`. */
export function valuePath(kind: ValueKind, name: string): string {
  return `/${kind}/${encodeURIComponent(name)}`;
}

/** Refetches the list, and who changed it. */
export async function askAgain(kind: ValueKind): Promise<void> {
  await Promise.all([kind, 'audit'].map((key) => queryClient.invalidateQueries({ queryKey: [key] })));
}
