/** Sources of events over HTTP, and what they have delivered, so that nothing is accepted twice. */
import type { Migration } from './migration.ts';

export const webhooks: Migration = {
  number: 42,
  name: 'webhooks',
  statements: (_dialect, { integer, text }) => [
    `create table webhooks (
      name ${text} primary key, description ${text}, rule ${text} not null, created_at ${integer} not null, updated_at ${integer} not null,
      accepted ${integer} not null, accepted_at ${integer}, refused_at ${integer}, refusal ${text}
    )`,
    `create table webhook_receipts (webhook ${text} not null, digest ${text} not null, until_at ${integer} not null, primary key (webhook, digest))`,
    'create index webhook_receipts_until on webhook_receipts (until_at)',
  ],
};
