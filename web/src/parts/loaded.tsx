/** What was asked for, once it has come; before that rows that are still coming, or what failed and a way to try again. */
import { Failed, LoadingRows } from './notices.tsx';

interface LoadedProps<Data> {
  /** As TanStack Query gives it. */
  readonly query: { readonly data: Data | undefined; readonly error: unknown; readonly refetch: () => unknown };
  /** What was asked for, as the subject of a sentence: `The rules`. */
  readonly what: string;
  /** Rows that are drawn while it comes. */
  readonly rows: number;
  readonly children: (data: Data) => React.ReactNode;
}

export function Loaded<Data>({ query: { data, error, refetch }, what, rows, children }: LoadedProps<Data>) {
  if (data !== undefined) return children(data);
  return error === null ? <LoadingRows rows={rows} /> : <Failed what={what} error={error} retry={() => void refetch()} />;
}
