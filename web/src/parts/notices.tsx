/** What a page shows in place of data: empty, failed, not allowed, loading. */
import { Button, Skeleton } from '@mantine/core';
import { ApiError } from '../api/http.ts';
import { commandText } from './command.tsx';
import { CopyText } from './copy-text.tsx';
import style from './notices.module.css';

interface EmptyProps {
  /** What would be here, e.g. `No runs yet`. */
  readonly title: string;
  /** What this place is for. */
  readonly children?: React.ReactNode;
  /** The one command that fills it, without the name of the program, e.g. `worker`. */
  readonly command?: string;
  /** A button instead of a command. */
  readonly action?: React.ReactNode;
}

/** Empty: says what the place is for, and the one command that fills it. */
export function Empty({ title, children, command, action }: EmptyProps) {
  return (
    <div className={style.notice}>
      <h2>{title}</h2>
      {children === undefined ? null : <p>{children}</p>}
      {command === undefined ? null : <CopyText text={commandText(command)} />}
      {action}
    </div>
  );
}

interface FailedProps {
  /** What was requested, e.g. `The list of runs`. */
  readonly what: string;
  readonly error: unknown;
  readonly retry?: () => void;
}

/** A failure: what, its code, and what to try. Missing permission has its own notice. */
export function Failed({ what, error, retry }: FailedProps) {
  if (error instanceof ApiError && error.status === 403) return <NotAllowed what={what} why={error.message} />;
  const code = error instanceof ApiError ? error.code : 'PAGE_ERROR';
  const message = error instanceof Error ? error.message : String(error);
  return (
    <div className={style.notice} role="alert">
      <h2>{what} could not be loaded</h2>
      <p>{message}</p>
      <p>
        <code>{code}</code> {adviceFor(error)}
      </p>
      {retry === undefined ? null : (
        <Button variant="default" onClick={retry}>
          Try again
        </Button>
      )}
    </div>
  );
}

/** The server's refusal of a change; nothing if there is none. */
export function Refused({ text }: { readonly text: string | null }) {
  return text === null ? null : (
    <p role="alert" className={style.refused}>
      {text}
    </p>
  );
}

/** Exists, but not for this role. */
export function NotAllowed({ what, why }: { readonly what: string; readonly why: string }) {
  return (
    <div className={style.notice}>
      <h2>{what} is not for your role</h2>
      <p>{why}</p>
      <p>Log in with another key, or ask an admin for one.</p>
    </div>
  );
}

/** Placeholder for loading rows, with their height. */
export function LoadingRows({ rows = 8 }: { readonly rows?: number }) {
  return (
    <div role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, index) => (
        <div key={index} className={style.row}>
          <Skeleton height={12} width={72} />
          <Skeleton height={12} width={`${20 + ((index * 7) % 16)}%`} />
          <Skeleton height={12} width={`${12 + ((index * 5) % 9)}%`} />
          <Skeleton height={12} width={56} />
        </div>
      ))}
    </div>
  );
}

/** Placeholder for a loading image or panel, `height` in px. */
export function LoadingBlock({ height }: { readonly height: number }) {
  return (
    <div role="status" aria-label="Loading">
      <Skeleton height={height} />
    </div>
  );
}

function adviceFor(error: unknown): string {
  if (!(error instanceof ApiError)) return 'Reload the page; if it happens again, please report it as a bug.';
  if (error.status === 404) return 'It may have been deleted, or the address is mistyped.';
  if (error.status === 401) return 'Log in again.';
  if (error.status === 429) return 'Wait a moment, then try again.';
  if (error.status === 0) return `Look whether the server runs: ${commandText('server')}`;
  if (error.status >= 500) return 'The log of the server has the cause.';
  return 'Change what was asked for and try again.';
}
