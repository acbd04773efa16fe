/** Firings, newest first: time, content, receivers, their answers, and each attempt. */
import { Anchor } from '@mantine/core';
import { Fragment, useState } from 'react';
import type { SentFiring } from '../../../../src/client/alerts-client.ts';
import type { TriedDelivery } from '../../../../src/model/alerts/alert.ts';
import { TableHead } from '../../parts/table-head.tsx';
import table from '../../parts/table.module.css';
import { Time } from '../../parts/time.tsx';
import style from './alerts.module.css';
import { AlertBadge } from './alert-state.tsx';

interface FiringsTableProps {
  readonly firings: readonly SentFiring[];
  /** Whether each names its subject, if they belong to several alerts. */
  readonly showsAbout?: boolean;
}

export function FiringsTable({ firings, showsAbout = false }: FiringsTableProps) {
  return (
    <table className={table.table}>
      <TableHead columns={['Firing', ...(showsAbout ? ['About'] : []), 'When', 'To', 'State', 'Attempts', 'Answer']} />
      <tbody>
        {firings.flatMap((firing) =>
          firing.deliveries.length === 0
            ? [
                <tr key={firing.id}>
                  <FiringCells firing={firing} at={firing.at} showsAbout={showsAbout} />
                  <td data-label="To" colSpan={4} className={table.soft}>
                    {firing.silenced ? 'nobody: it was silenced' : 'nobody'}
                  </td>
                </tr>,
              ]
            : firing.deliveries.map((delivery) => (
                <DeliveryRows key={delivery.id} firing={firing} delivery={delivery} showsAbout={showsAbout} />
              )),
        )}
      </tbody>
    </table>
  );
}

interface FiringCellsProps {
  readonly firing: SentFiring;
  readonly at: number;
  readonly showsAbout: boolean;
}

function FiringCells({ firing: { kind, group, summary }, at, showsAbout }: FiringCellsProps) {
  return (
    <>
      <td data-label="Firing" title={summary}>
        {kind}
      </td>
      {showsAbout ? (
        <td data-label="About" className={style.found} title={summary}>
          {group} <span className={table.soft}>{summary}</span>
        </td>
      ) : null}
      <td data-label="When">
        <Time at={at} />
      </td>
    </>
  );
}

interface DeliveryRowsProps {
  readonly firing: SentFiring;
  readonly delivery: TriedDelivery;
  readonly showsAbout: boolean;
}

/** A delivery, and below it each attempt, once expanded. */
function DeliveryRows({ firing, delivery, showsAbout }: DeliveryRowsProps) {
  const [isOpen, setOpen] = useState(false);
  const { receiver, state, attempts, answer, sentAt, createdAt, lastAttempts } = delivery;
  return (
    <Fragment>
      <tr>
        <FiringCells firing={firing} at={sentAt ?? createdAt} showsAbout={showsAbout} />
        <td data-label="To" className={style.receiver}>
          {receiver}
        </td>
        <td data-label="State">
          <AlertBadge state={state} />
        </td>
        <td data-label="Attempts">
          {attempts < 2 ? (
            attempts
          ) : (
            <Anchor component="button" type="button" size="sm" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
              {attempts}
            </Anchor>
          )}
        </td>
        <td data-label="Answer" className={style.answer} title={answer ?? ''}>
          {answer}
        </td>
      </tr>
      {isOpen ? (
        <tr className={style.attempts}>
          <td colSpan={showsAbout ? 7 : 6}>
            <ol aria-label={`Attempts to send it to ${receiver}`} start={lastAttempts[0]?.attempt ?? 1}>
              {lastAttempts.map((one) => (
                <li key={one.attempt} value={one.attempt}>
                  <Time at={one.at} as="exact" /> {one.answer}
                </li>
              ))}
            </ol>
            {attempts > lastAttempts.length ? <p className={table.soft}>Earlier attempts are not kept.</p> : null}
          </td>
        </tr>
      ) : null}
    </Fragment>
  );
}
