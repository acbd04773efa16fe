/** Events emitted or received by webhooks, and the webhooks. */
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { cutText } from '../../../../src/base/cut-text.ts';
import type { Webhook } from '../../../../src/model/triggers/webhook.ts';
import { type EventRow, eventsQuery, webhooksQuery } from '../../api/event-queries.ts';
import { send } from '../../api/http.ts';
import { queryClient } from '../../api/query-client.ts';
import { usePermission } from '../../api/session.ts';
import { Action } from '../../parts/action.tsx';
import { Confirm } from '../../parts/confirm.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { MoreButton } from '../../parts/more-button.tsx';
import { Empty } from '../../parts/notices.tsx';
import { Page, Panel } from '../../parts/page.tsx';
import { TableHead } from '../../parts/table-head.tsx';
import table from '../../parts/table.module.css';
import { Time } from '../../parts/time.tsx';

/** The page. */
export function EventsPage() {
  return (
    <Page title="Events">
      <Webhooks />
      <Events />
    </Page>
  );
}

function Webhooks() {
  const query = useQuery(webhooksQuery);
  const may = usePermission('admin');
  const [gone, setGone] = useState<Webhook | null>(null);
  const remove = async (): Promise<void> => {
    if (gone !== null) await send('DELETE', `/webhooks/${encodeURIComponent(gone.name)}`);
    await queryClient.invalidateQueries({ queryKey: ['webhooks'] });
  };
  return (
    <Panel title="Webhooks" aside={query.data?.length}>
      <Loaded query={query} what="The webhooks" rows={2}>
        {(webhooks) =>
          webhooks.length === 0 ? (
            <Empty title="No webhooks" command="webhook add shop">
              A webhook accepts signed events from another service.
            </Empty>
          ) : (
            <table className={table.table}>
              <TableHead columns={['Webhook', 'Signed as', 'Events', 'Taken', 'Last refused']} hasDeeds />
              <tbody>
                {webhooks.map((webhook) => (
                  <WebhookRow key={webhook.name} webhook={webhook} notAllowed={may.why} onDelete={() => setGone(webhook)} />
                ))}
              </tbody>
            </table>
          )
        }
      </Loaded>
      <Confirm
        opened={gone !== null}
        onClose={() => setGone(null)}
        title={`Delete webhook ${gone?.name ?? ''}`}
        destructive
        onConfirm={remove}
      >
        <p>What comes to it is refused from then on. Its secret and its events stay.</p>
      </Confirm>
    </Panel>
  );
}

function WebhookRow({
  webhook,
  notAllowed,
  onDelete,
}: {
  readonly webhook: Webhook;
  readonly notAllowed: string | null;
  readonly onDelete: () => void;
}) {
  const { name, rule, accepted, acceptedAt, refusedAt, refusal } = webhook;
  return (
    <tr>
      <td data-label="Webhook">
        <strong>{name}</strong> <code>/hooks/{name}</code>
      </td>
      <td data-label="Signed as">{rule.style}</td>
      <td data-label="Events">
        <code>{rule.event}</code>
      </td>
      <td data-label="Taken">
        {acceptedAt === null ? (
          'none yet'
        ) : (
          <>
            {accepted}, <Time at={acceptedAt} />
          </>
        )}
      </td>
      <td data-label="Last refused">
        {refusedAt === null ? null : (
          <>
            <Time at={refusedAt} /> <span className={table.soft}>{refusal}</span>
          </>
        )}
      </td>
      <td className={table.deeds}>
        <Action size="compact-xs" label={`Delete ${name}`} disabledReason={notAllowed} onClick={onDelete}>
          Delete
        </Action>
      </td>
    </tr>
  );
}

function Events() {
  const query = useInfiniteQuery(eventsQuery);
  const events = query.data?.pages.flatMap((page) => page.items);
  return (
    <Panel title="Newest events">
      <Loaded query={{ data: events, error: query.error, refetch: query.refetch }} what="The events" rows={6}>
        {(all) =>
          all.length === 0 ? (
            <Empty title="No events" command={'event emit order.created \'{"id":1001}\''}>
              An event starts each deployment that has a trigger for it.
            </Empty>
          ) : (
            <>
              <table className={table.table}>
                <TableHead columns={['Event', 'Received', 'From', 'Payload']} />
                <tbody>
                  {all.map((event) => (
                    <Row key={event.id} event={event} />
                  ))}
                </tbody>
              </table>
              <MoreButton query={query} />
            </>
          )
        }
      </Loaded>
    </Panel>
  );
}

/** Most characters of a payload in a row; the command line shows all of it. */
const shownChars = 200;

function Row({ event: { id, name, receivedAt, source, callerRunId, data } }: { readonly event: EventRow }) {
  const text = data === null ? '' : JSON.stringify(data.json);
  return (
    <tr>
      <td data-label="Event">
        <strong>{name}</strong> <code>{id}</code>
      </td>
      <td data-label="Received">
        <Time at={receivedAt} />
      </td>
      <td data-label="From">{source ?? (callerRunId === null ? '' : `run ${callerRunId}`)}</td>
      <td data-label="Payload">
        <code>{cutText(text, shownChars, '…')}</code>
      </td>
    </tr>
  );
}
