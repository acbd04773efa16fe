/** Where a list begins on the page, for drawing only what is in sight. */
import { type RefObject, useLayoutEffect, useState } from 'react';

/** Distance of an element from the top of the page, px; follows when what stands above it changes its height. */
export function useListTop(element: RefObject<HTMLElement | null>, isDrawn: boolean): number {
  const [top, setTop] = useState(0);
  useLayoutEffect(() => {
    const measure = (): void => {
      if (element.current !== null) setTop(Math.round(element.current.getBoundingClientRect().top + window.scrollY));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(document.body);
    return () => observer.disconnect();
  }, [element, isDrawn]);
  return top;
}
