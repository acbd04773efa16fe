/** Navigation on the left; on a phone behind a button at the top. Below it: dark or light, the keys, who is logged in. */
import { ActionIcon, Drawer, Menu, Tooltip, UnstyledButton, useMantineColorScheme } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { logout, meQuery } from '../api/session.ts';
import { Icon } from '../parts/icon.tsx';
import style from './navigation-bar.module.css';
import { usePlaces } from './navigation.ts';

/** The navigation. `onHelp` opens the list of keys. */
export function Navigation({ onHelp }: { readonly onHelp: () => void }) {
  const [opened, setOpened] = useState(false);
  return (
    <>
      <header className={style.top}>
        <Brand />
        <ActionIcon aria-label="Open the navigation" onClick={() => setOpened(true)} size={36}>
          <Icon name="menu" size={20} />
        </ActionIcon>
      </header>
      <Drawer opened={opened} onClose={() => setOpened(false)} size={240} title={<Brand />}>
        <Places onGo={() => setOpened(false)} />
        <Foot onHelp={onHelp} />
      </Drawer>
      <aside className={style.side}>
        <Brand />
        <Places />
        <Foot onHelp={onHelp} />
      </aside>
    </>
  );
}

function Brand() {
  return (
    <Link to="/" className={style.brand} aria-label="Batuta, home">
      <svg width="20" height="20" viewBox="0 0 20 20" aria-hidden="true">
        <path d="M3.5 16.5 17 3" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" />
        <circle cx="5" cy="15" r="2.6" fill="currentColor" />
      </svg>
      Batuta
    </Link>
  );
}

function Places({ onGo }: { readonly onGo?: () => void }) {
  const places = usePlaces();
  return (
    <nav aria-label="Places">
      <ul className={style.places}>
        {places.map(({ to, label, icon }) => (
          <li key={to}>
            <Link to={to} activeOptions={{ exact: to === '/', includeSearch: false }} className={style.place} onClick={onGo}>
              <Icon name={icon} />
              {label}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function Foot({ onHelp }: { readonly onHelp: () => void }) {
  return (
    <div className={style.foot}>
      <SchemeSwitch />
      <Tooltip label="Keys (?)">
        <ActionIcon aria-label="List of keys" onClick={onHelp}>
          <Icon name="keyboard" />
        </ActionIcon>
      </Tooltip>
      <Who />
    </div>
  );
}

function Who() {
  const { data: me } = useQuery(meQuery);
  const navigate = useNavigate();
  if (me === undefined || me.role === null) return null;
  const leave = async (): Promise<void> => {
    await logout();
    await navigate({ to: '/login' });
  };
  return (
    <Menu position="top-end">
      <Menu.Target>
        <UnstyledButton className={style.who} aria-label={`Logged in as ${me.who ?? 'local'}, ${me.role}`}>
          <Icon name="person" />
          <span className={style.whoText}>{me.role}</span>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {me.who ?? 'local'} · {me.role}
        </Menu.Label>
        {me.needsKey ? (
          <Menu.Item onClick={() => void leave()}>Log out</Menu.Item>
        ) : (
          <Menu.Item disabled>No key is needed on this machine</Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}

const next = { auto: 'light', light: 'dark', dark: 'auto' } as const;
const icons = { auto: 'screen', light: 'sun', dark: 'moon' } as const;
const words = { auto: 'as the system says', light: 'light', dark: 'dark' } as const;

/** Cycles through the three schemes. */
export function SchemeSwitch() {
  // Without this option Mantine would write a <style> element, which the page's CSP refuses.
  const { colorScheme, setColorScheme } = useMantineColorScheme({ keepTransitions: true });
  return (
    <Tooltip label={`Colours: ${words[colorScheme]}`}>
      <ActionIcon
        aria-label={`Colours: ${words[colorScheme]}. Change to ${words[next[colorScheme]]}`}
        onClick={() => setColorScheme(next[colorScheme])}
      >
        <Icon name={icons[colorScheme]} />
      </ActionIcon>
    </Tooltip>
  );
}
