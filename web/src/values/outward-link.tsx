/** A link from a user's flow: followed only if its URL is a web or mail address. */
import { safeHref } from './safe-link.ts';
import style from './markdown-view.module.css';

interface OutwardLinkProps {
  readonly href: string;
  readonly children: React.ReactNode;
}

/** The link; for other URLs, its text and the URL next to it. */
export function OutwardLink({ href, children }: OutwardLinkProps) {
  const safe = safeHref(href);
  if (safe === null) {
    return (
      <span>
        {children} <code>{href}</code>
      </span>
    );
  }
  return (
    <a className={style.link} href={safe} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  );
}
