/** Small line drawings for navigation and controls, 16 by 16, in the colour of the text. */

const paths = {
  home: 'M2.5 7.2 8 2.5l5.5 4.7v6.3h-4V9.8h-3v3.7h-4Z',
  runs: 'M2.5 4h.01M2.5 8h.01M2.5 12h.01M5.5 4h8M5.5 8h8M5.5 12h8',
  flows: 'M2.5 3h4v3h-4ZM9.5 10h4v3h-4ZM9.5 3h4v3h-4ZM6.5 4.5h3M4.5 6v5.5h5',
  deployments: 'M3 4h10v9.5H3ZM3 7h10M5.8 2.5V5M10.2 2.5V5',
  workers: 'M2.5 3h11v4h-11ZM2.5 9h11v4h-11ZM5 5h.01M5 11h.01',
  monitoring: 'M1.5 8.5h3l2-5 3 9 2-4h3',
  events: 'M9 1.5 3.5 9h4L7 14.5 12.5 7h-4Z',
  alerts: 'M4 11V7a4 4 0 0 1 8 0v4l1 1.5H3ZM6.8 14.2h2.4M8 1.5V3',
  inbox: 'M2.5 9 4.5 3h7l2 6v4.5h-11ZM2.5 9h3l1 2h3l1-2h3',
  limits: 'M2.5 11.5a5.5 5.5 0 1 1 11 0M8 11.5 11 7',
  cache:
    'M2.5 4c0-1.1 2.5-2 5.5-2s5.5.9 5.5 2-2.5 2-5.5 2-5.5-.9-5.5-2ZM2.5 4v8c0 1.1 2.5 2 5.5 2s5.5-.9 5.5-2V4M2.5 8c0 1.1 2.5 2 5.5 2s5.5-.9 5.5-2',
  artifacts: 'M3.5 2.5h6l3 3v8h-9ZM9.5 2.5v3h3M5.8 8.5h4.4M5.8 11h4.4',
  secrets: 'M3.5 7h9v6.5h-9ZM5.5 7V5a2.5 2.5 0 0 1 5 0v2M8 9.5v1.5',
  settings: 'M2.5 4.5h6M11.5 4.5h2M2.5 11.5h2M7.5 11.5h6M10 2.8v3.4M6 9.8v3.4',
  menu: 'M2.5 4h11M2.5 8h11M2.5 12h11',
  sun: 'M8 5a3 3 0 1 1 0 6 3 3 0 0 1 0-6ZM8 1.5v1M8 13.5v1M1.5 8h1M13.5 8h1M3.4 3.4l.7.7M11.9 11.9l.7.7M12.6 3.4l-.7.7M4.1 11.9l-.7.7',
  moon: 'M13 9.6A5.6 5.6 0 0 1 6.4 3a5.6 5.6 0 1 0 6.6 6.6Z',
  screen: 'M2 3h12v8H2ZM5.5 13.5h5M8 11v2.5',
  search: 'M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9ZM10.5 10.5l3 3',
  close: 'M4 4l8 8M12 4l-8 8',
  chevron: 'M4.5 6.5 8 10l3.5-3.5',
  more: 'M3.5 8h.01M8 8h.01M12.5 8h.01',
  keyboard: 'M1.5 4h13v8h-13ZM4 6.5h.01M6.7 6.5h.01M9.3 6.5h.01M12 6.5h.01M5 9.5h6',
  person: 'M8 2.5a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5ZM3 13.5a5 5 0 0 1 10 0',
  external: 'M6.5 3.5h-3v9h9v-3M9 2.5h4.5V7M13 3 7.5 8.5',
} as const;

/** Names of the icons. */
export type IconName = keyof typeof paths;

/** One icon. It is decorative: its control is named by text or a label. */
export function Icon({ name, size = 16 }: { readonly name: IconName; readonly size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth={name === 'more' ? 2 : 1.4}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={paths[name]} />
    </svg>
  );
}
