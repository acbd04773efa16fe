/** Shortcuts on every page: `/`, `?`, and `g` followed by the key of a page. Inactive while typing. */
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useEffectEvent, useRef } from 'react';
import { places } from './navigation.ts';

/** How long after `g` the second key counts, ms. */
const secondKeyMs = 1500;

/** Listens while the frame is shown. `/` focuses the page's search field (`data-search`), `?` calls back. */
export function useKeys(onHelp: () => void): void {
  const navigate = useNavigate();
  const goPressedAt = useRef(Number.NEGATIVE_INFINITY);

  const onKey = useEffectEvent((event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || isDialogOpen()) return;
    const second = event.timeStamp - goPressedAt.current < secondKeyMs;
    goPressedAt.current = Number.NEGATIVE_INFINITY;
    const place = second ? places.find(({ key }) => key === event.key) : undefined;
    if (place !== undefined) {
      event.preventDefault();
      void navigate({ to: place.to });
    } else if (event.key === 'g') {
      goPressedAt.current = event.timeStamp;
    } else if (event.key === '/') {
      event.preventDefault();
      focusSearch(() => void navigate({ to: '/runs' }));
    } else if (event.key === '?') {
      event.preventDefault();
      onHelp();
    }
  });

  useEffect(() => {
    const listener = (event: KeyboardEvent): void => onKey(event);
    window.addEventListener('keydown', listener);
    return () => window.removeEventListener('keydown', listener);
  }, []);
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

function isDialogOpen(): boolean {
  return document.querySelector('[aria-modal="true"]') !== null;
}

/** A page without a search field leads to the list of runs, which has one. */
function focusSearch(goToRuns: () => void): void {
  const field = document.querySelector<HTMLInputElement>('input[data-search]');
  if (field !== null) {
    field.focus();
    field.select();
    return;
  }
  const watch = new MutationObserver(() => {
    const appeared = document.querySelector<HTMLInputElement>('input[data-search]');
    if (appeared === null) return;
    watch.disconnect();
    appeared.focus();
  });
  watch.observe(document.body, { childList: true, subtree: true });
  setTimeout(() => watch.disconnect(), 3000);
  goToRuns();
}
