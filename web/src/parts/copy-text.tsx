/** A command or key to copy: code with a copy button. */
import { Button } from '@mantine/core';
import { useClipboard } from '@mantine/hooks';
import style from './copy-text.module.css';

/** Text in one line of code, and a button that copies it. */
export function CopyText({ text }: { readonly text: string }) {
  const { copy, copied } = useClipboard({ timeout: 1500 });
  return (
    <span className={style.box}>
      <code className={style.code}>{text}</code>
      <Button className={style.button ?? ''} variant="subtle" size="compact-xs" onClick={() => copy(text)}>
        {copied ? 'Copied' : 'Copy'}
      </Button>
    </span>
  );
}
