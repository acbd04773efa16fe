/** Reports from elsewhere: what tells a store from a copy of it, and the state of progress when it was last reported. */
import type { Migration } from './migration.ts';

export const reportTokens: Migration = {
  number: 46,
  name: 'report-tokens',
  statements: (dialect, { text }) => [
    // Null until its reporter next registers.
    `alter table reporters add column token ${text}`,
    ...(dialect === 'sqlite'
      ? [
          // `next_token` is written before the server sees it, and replaces `token` once it has.
          'alter table report_state add column token text',
          'alter table report_state add column next_token text',
          // Number of the last item on its way to a server; written before it is sent.
          'alter table report_state add column sent_seq integer not null default 0',
          // Its data; null if what is reported never changes.
          'alter table report_artifacts add column seen text',
        ]
      : []),
  ],
};
