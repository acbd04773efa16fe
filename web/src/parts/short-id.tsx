/** The distinguishing end of an id; a click copies the whole. */
import { Tooltip, UnstyledButton } from '@mantine/core';
import { useClipboard } from '@mantine/hooks';
import { shortId } from '../../../src/model/ids.ts';
import style from './short-id.module.css';

/** Short form of an id with its copy button. */
export function ShortId({ id }: { readonly id: string }) {
  const { copy, copied } = useClipboard({ timeout: 1200 });
  return (
    <Tooltip label={copied ? 'Copied' : `Copy ${id}`}>
      <UnstyledButton className={style.id} aria-label={`${shortId(id)}: copy the id ${id}`} onClick={() => copy(id)}>
        {shortId(id)}
      </UnstyledButton>
    </Tooltip>
  );
}
