/** What alerts send, and what another attempt would not change. */
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { expect, onTestFinished, test } from 'vitest';
import { NotSent } from '../../../src/alerts/deliver.ts';
import { lookEveryOf } from '../../../src/alerts/evaluate.ts';
import { sendMail } from '../../../src/alerts/send/mail.ts';
import { postJson } from '../../../src/alerts/send/post.ts';
import { sender } from '../../../src/alerts/send/send.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { BatutaError } from '../../../src/base/errors.ts';
import { checkAlert } from '../../../src/client/declared-alert.ts';
import type { AlertAction } from '../../../src/model/alerts/rule.ts';
import type { PendingDelivery } from '../../../src/model/alerts/alert.ts';
import { openReceiver } from '../../support/alerts.ts';

const never = new AbortController().signal;

function delivery(action: AlertAction): PendingDelivery {
  return {
    ...{ id: 'd-1', firingId: 'f-1', rule: 'stuck', kind: action.kind, receiver: action.kind, state: 'pending', attempts: 0 },
    ...{ createdAt: 0, triedAt: null, sentAt: null, answer: null, action },
    message: {
      type: 'alert.fired',
      timestamp: new Date(0).toISOString(),
      data: {
        ...{ alertId: 'a-1', firingId: 'f-1', rule: 'stuck', description: null, condition: 'longer', group: '', state: 'firing' },
        ...{ summary: 'It hangs.', count: 1, firstAt: new Date(0).toISOString(), lastAt: new Date(0).toISOString(), resolvedBy: null },
        ...{ flow: 'load', deployment: null, run: { id: 'r-1', name: 'able-crab' } },
      },
    },
  };
}

function cancelling(error: Error): Promise<string> {
  const reactions = { run: async () => 'r-2', cancel: async () => Promise.reject(error), pause: async () => undefined };
  const parts = { clock: systemClock, secret: async () => '', reactions, allowedHosts: [], publicUrl: null, smtpUrl: null, from: null };
  return sender(parts)(delivery({ kind: 'cancel' }), never);
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

test('a run that has ended is cancelled well enough', async () => {
  expect(await cancelling(new BatutaError('RUN_STATE_REFUSED', 'it has already ended'))).toBe('run r-1 has ended already');
  await expect(cancelling(new BatutaError('RUN_NOT_FOUND', 'there is none'))).rejects.toBeInstanceOf(NotSent);
});

test('a mail that is aborted ends at once, whatever the server does', async () => {
  const sockets = new Set<Socket>();
  const silent = createServer((socket) => void sockets.add(socket));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    silent.close();
  });
  const smtpUrl = `smtp://127.0.0.1:${await listening(silent)}`;
  const stopped = new AbortController();
  const sending = sendMail(delivery({ kind: 'email', to: [] }), ['a@example.com'], { smtpUrl, from: null }, null, stopped.signal);
  silent.once('connection', () => stopped.abort());
  await expect(sending).rejects.toMatchObject({ name: 'AbortError' });
});

test('recipients that the server refuses are in the answer', async () => {
  const smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onRcptTo: ({ address }, _session, done) => done(address.startsWith('b@') ? new Error('unknown here') : undefined),
    onData(stream, _session, done) {
      stream.resume();
      stream.on('end', () => done());
    },
  });
  onTestFinished(() => void smtp.close());
  const smtpUrl = `smtp://127.0.0.1:${await listening(smtp.server)}`;
  const to = ['a@example.com', 'b@example.com'];
  expect(await sendMail(delivery({ kind: 'email', to }), to, { smtpUrl, from: null }, null, never)).toMatch(
    /^250 .*; refused for b@example\.com$/,
  );
});

test('what a receiver refuses for its content is not sent again, what it cannot take just now is', async () => {
  const receiver = await openReceiver();
  onTestFinished(() => receiver.close());
  const post = (): Promise<string> => postJson(receiver.url, { headers: {}, body: '{}', signal: never, allowed: ['127.0.0.1'] });
  for (const status of [400, 410, 413, 415, 422]) {
    receiver.answer = status;
    await expect(post(), String(status)).rejects.toBeInstanceOf(NotSent);
  }
  for (const status of [401, 403, 404, 408, 429, 500, 503]) {
    receiver.answer = status;
    await expect(post(), String(status)).rejects.not.toBeInstanceOf(NotSent);
  }
});

test('a name that is not resolved is waited for no longer than an attempt', async () => {
  const stopped = new AbortController();
  const resolve = (): Promise<never> => {
    stopped.abort(new Error('over'));
    return new Promise(() => undefined);
  };
  const post = postJson('https://hooks.example/x', { headers: {}, body: '{}', signal: stopped.signal, allowed: [], resolve });
  await expect(post).rejects.toThrow('over');
  const late = postJson('https://hooks.example/x', { headers: {}, body: '{}', signal: stopped.signal, allowed: [], resolve });
  await expect(late).rejects.toThrow('over');
});

test('what counts over a long window is looked at less often', () => {
  const day = 86_400_000;
  expect([
    lookEveryOf({ kind: 'late' }),
    lookEveryOf({ kind: 'failure-rate', share: 0.5, withinMs: 60_000, atLeast: 1 }),
    lookEveryOf({ kind: 'failure-rate', share: 0.5, withinMs: 3_600_000, atLeast: 1 }),
    lookEveryOf({ kind: 'nothing-completed', ms: day }),
  ]).toEqual([5_000, 5_000, 30_000, 60_000]);
});

test('a rule that would run what it watches, again and again, is refused', () => {
  const send = { run: 'cleanup' };
  for (const spec of [{ deployments: ['nightly', 'cleanup'] }, {}])
    expect(() => checkAlert('loop', { on: 'failed', repeat: '1h', send, ...spec })).toThrow('react to itself');
  for (const spec of [
    { deployments: ['nightly'], repeat: '1h' },
    { flows: ['load'], repeat: 0 },
    {},
    { deployments: ['cleanup'] },
  ] as const)
    expect(checkAlert('loop', { on: 'failed', send, ...spec }).actions).toHaveLength(1);
  expect(checkAlert('queue', { on: 'no-worker', repeat: '1h', send }).repeatMs).toBe(3_600_000);
});
