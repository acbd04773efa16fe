/** The frame of a page: title, actions, and panels. */
import { useEffect } from 'react';
import style from './page.module.css';

interface PageProps {
  /** Title of the tab, and of the page unless `heading` is given. */
  readonly title: string;
  readonly heading?: React.ReactNode;
  /** Right of the title: actions. */
  readonly actions?: React.ReactNode;
  readonly children: React.ReactNode;
}

/** A page with its title; sets the title of the tab. */
export function Page({ title, heading, actions, children }: PageProps) {
  useEffect(() => {
    document.title = title === 'Home' ? 'Batuta' : `${title} · Batuta`;
  }, [title]);
  return (
    <div className={style.page}>
      <header className={style.head}>
        {heading ?? <h1>{title}</h1>}
        {actions === undefined ? null : <div className={style.actions}>{actions}</div>}
      </header>
      {children}
    </div>
  );
}

interface PanelProps {
  readonly title: React.ReactNode;
  /** Right of the title. */
  readonly aside?: React.ReactNode;
  readonly children: React.ReactNode;
}

/** A part of a page with its own title. */
export function Panel({ title, aside, children }: PanelProps) {
  return (
    <section className={style.panel}>
      <header className={style.panelHead}>
        <h2>{title}</h2>
        {aside === undefined ? null : <div className={style.aside}>{aside}</div>}
      </header>
      {children}
    </section>
  );
}
