/** The menu of saved views. */
import { ActionIcon, Button, Popover, TextInput, UnstyledButton } from '@mantine/core';
import { type SubmitEvent, useState } from 'react';
import { Icon } from '../../parts/icon.tsx';
import { forgetView, isShown, type SavedView, saveView, standingViews, useSavedViews } from './stored-views.ts';
import type { RunsSearch } from './runs-search.ts';
import style from './saved-views.module.css';

interface SavedViewsProps {
  readonly search: RunsSearch;
  readonly onShow: (search: RunsSearch) => void;
}

/** Shows a view, saves the current filters under a name, deletes one. */
export function SavedViews({ search, onShow }: SavedViewsProps) {
  const [opened, setOpened] = useState(false);
  const [name, setName] = useState('');
  const saved = useSavedViews();
  const current = [...saved, ...standingViews].find((view) => isShown(view, search));

  const show = (view: SavedView): void => {
    setOpened(false);
    onShow(view.search);
  };
  const save = (event: SubmitEvent): void => {
    event.preventDefault();
    saveView({ name: name.trim(), search });
    setName('');
    setOpened(false);
  };

  return (
    <Popover position="bottom-end" opened={opened} onChange={setOpened} width={280} trapFocus returnFocus>
      <Popover.Target>
        <Button variant="default" rightSection={<Icon name="chevron" size={14} />} onClick={() => setOpened(!opened)}>
          {current?.name ?? 'Saved views'}
        </Button>
      </Popover.Target>
      <Popover.Dropdown className={style.list}>
        {standingViews.map((view) => (
          <ViewButton key={view.name} view={view} shown={view === current} onShow={show} />
        ))}
        {saved.length > 0 ? <hr className={style.line} /> : null}
        {saved.map((view) => (
          <div key={view.name} className={style.row}>
            <ViewButton view={view} shown={view === current} onShow={show} />
            <ActionIcon size={24} aria-label={`Forget the view ${view.name}`} onClick={() => forgetView(view.name)}>
              <Icon name="close" size={12} />
            </ActionIcon>
          </div>
        ))}
        <hr className={style.line} />
        <form className={style.form} onSubmit={save}>
          <TextInput
            aria-label="Name of the view"
            placeholder="Keep these filters as …"
            value={name}
            maxLength={60}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <Button type="submit" variant="default" disabled={name.trim() === ''}>
            Save
          </Button>
        </form>
      </Popover.Dropdown>
    </Popover>
  );
}

interface ViewButtonProps {
  readonly view: SavedView;
  readonly shown: boolean;
  readonly onShow: (view: SavedView) => void;
}

function ViewButton({ view, shown, onShow }: ViewButtonProps) {
  return (
    <UnstyledButton className={style.view} aria-current={shown || undefined} onClick={() => onShow(view)}>
      {view.name}
    </UnstyledButton>
  );
}
