/** The list of keys, opened by `?`. */
import { Kbd, Modal } from '@mantine/core';
import { usePlaces } from './navigation.ts';
import style from './keys-help.module.css';

const others = [
  { keys: ['/'], what: 'Search' },
  { keys: ['?'], what: 'This list' },
  { keys: ['Esc'], what: 'Close what is open' },
] as const;

/** What each key does. */
export function KeysHelp({ opened, onClose }: { readonly opened: boolean; readonly onClose: () => void }) {
  const places = usePlaces();
  const rows = [...others, ...places.map(({ key, label }) => ({ keys: ['g', key], what: label }))];
  return (
    <Modal opened={opened} onClose={onClose} title="Keys" size="xs">
      <dl className={style.list}>
        {rows.map(({ keys, what }) => (
          <div key={what} className={style.row}>
            <dt>
              {keys.map((key) => (
                <Kbd key={key} size="xs">
                  {key}
                </Kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Modal>
  );
}
