/** Requested data once loaded; before that placeholder rows, or the failure with a retry button. */
import { Failed, LoadingRows } from './notices.tsx';

interface LoadedProps<Data> {
  /** As TanStack Query gives it. */
  readonly query: { readonly data: Data | undefined; readonly error: unknown; readonly refetch: () => unknown };
  /** What was requested, as the subject of a sentence: `The rules`. */
  readonly what: string;
  /** Placeholder rows while loading. */
  readonly rows: number;
  readonly children: (data: Data) => React.ReactNode;
}

export function Loaded<Data>({ query: { data, error, refetch }, what, rows, children }: LoadedProps<Data>) {
  if (data !== undefined) return children(data);
  return error === null ? <LoadingRows rows={rows} /> : <Failed what={what} error={error} retry={() => void refetch()} />;
}
