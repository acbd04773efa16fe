/** Login by key. */
import { Button, PasswordInput } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { type SubmitEvent, useEffect, useRef, useState } from 'react';
import { ApiError } from '../api/http.ts';
import { login } from '../api/session.ts';
import { Command } from '../parts/command.tsx';
import style from './login-page.module.css';

/** Takes a key, and continues to the requested page. */
export function LoginPage() {
  const { next } = useSearch({ from: '/login' });
  const navigate = useNavigate();
  const [key, setKey] = useState('');
  const field = useRef<HTMLInputElement>(null);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  useEffect(() => {
    document.title = 'Log in · Batuta';
    field.current?.focus();
  }, []);

  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setFailure(null);
    try {
      await login(key.trim());
      // Only a path of this origin: one that begins with two slashes would lead elsewhere.
      await navigate({ href: next !== undefined && /^\/(?![/\\])/.test(next) ? next : '/', replace: true });
    } catch (error) {
      setFailure(sentenceFor(error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <main className={style.page}>
      <form className={style.form} onSubmit={(event) => void submit(event)}>
        <h1>Batuta</h1>
        <p>This server wants a key.</p>
        <PasswordInput
          ref={field}
          label="API key"
          value={key}
          onChange={(event) => setKey(event.currentTarget.value)}
          error={failure}
          autoComplete="current-password"
          size="sm"
          required
        />
        <Button type="submit" size="sm" loading={busy} disabled={key.trim() === ''}>
          Log in
        </Button>
        <p className={style.hint}>
          An admin makes one with <Command>key create --name ada --role viewer</Command>, or under Settings.
        </p>
      </form>
    </main>
  );
}

function sentenceFor(error: unknown): string {
  if (!(error instanceof ApiError)) return String(error);
  if (error.status === 401) return 'That is not a key of this server, or it was revoked or has expired.';
  if (error.status === 429) return 'Too many attempts. Wait a minute, then try again.';
  return error.message;
}
