import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Ticket } from '../../../src/broker/broker.ts';
import { compileProgram, startProgram } from '../../support/run-source.ts';
import type { Program, Started } from '../../support/run-source.ts';
import { makers, newTickets, Seen } from './makers.ts';
import type { Place } from './makers.ts';

/** A process that consumes, prints the id of each ticket, and keeps it when told so, until it is told to end. */
const consumerProgram = `
  import { openBroker } from './src/broker/open.ts';
  import { openStore } from './src/store/open.ts';
  const [brokerUrl, storeUrl, concurrency, keep, visibilityMs] = process.argv.slice(2);
  const store = await openStore({ url: storeUrl });
  const broker = await openBroker({ url: brokerUrl === 'local' ? null : brokerUrl, store, visibilityMs: Number(visibilityMs) });
  broker.consume('default', { concurrency: Number(concurrency) }, async (ticket) => {
    console.log('took ' + ticket.id);
    if (keep === 'keep') await new Promise(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 50));
    console.log('ended ' + ticket.id);
    await broker.notify('ended', ticket.id);
  });
  process.once('SIGTERM', async () => {
    await broker.close();
    await store.close();
  });
  console.log('ready');
`;

const queue = 'default';

describe.each(makers.filter(({ shared }) => shared))('$name, several processes', ({ makePlace }) => {
  let program: Program;
  let place: Place;
  let started: Started[];

  beforeAll(async () => {
    program = await compileProgram(consumerProgram);
  });
  afterAll(() => program.remove());
  beforeEach(async () => {
    place = await makePlace();
    started = [];
  });
  afterEach(async () => {
    for (const { child, ended } of started) {
      child.kill('SIGKILL');
      await ended;
    }
    await place.remove();
  });

  const startConsumer = async (concurrency: number, keep: 'keep' | 'end', visibilityMs = 900): Promise<Started> => {
    const process = startProgram(program, [place.brokerUrl ?? 'local', place.storeUrl, String(concurrency), keep, String(visibilityMs)]);
    started.push(process);
    await process.printed('ready');
    return process;
  };
  const tookIn = (stdout: string): string[] => [...stdout.matchAll(/^took (.+)$/gm)].map(([, id]) => id ?? '');

  it('two processes share the work, each ticket goes to one of them, and what they say is heard here', async () => {
    const broker = await place.open();
    const ended = new Seen<string>();
    await broker.subscribe('ended', (id) => ended.add(id));
    // Long enough that a process which a busy machine holds up loses no ticket: it would go to the other as well, as it should.
    const visibilityMs = 30_000;
    const processes = [await startConsumer(3, 'end', visibilityMs), await startConsumer(3, 'end', visibilityMs)];
    const tickets = newTickets(200);
    await broker.put(tickets, { queue });
    await ended.count(200);
    for (const { child } of processes) child.kill('SIGTERM');
    const took = (await Promise.all(processes.map(({ ended: end }) => end))).map((outcome) => {
      expect(outcome).toMatchObject({ status: 0, stderr: '' });
      return tookIn(outcome.stdout);
    });
    expect(took.map(({ length }) => length > 0)).toEqual([true, true]);
    expect(took.flat().sort()).toEqual(tickets.map(({ id }) => id).sort());
  });

  it('a ticket whose taker is killed comes back to another', async () => {
    const broker = await place.open({ visibilityMs: 900 });
    const victim = await startConsumer(2, 'keep');
    const tickets = newTickets(2);
    await broker.put(tickets, { queue });
    for (const { id } of tickets) await victim.printed(`took ${id}`);
    victim.child.kill('SIGKILL');
    await victim.ended;
    const seen = new Seen<Ticket>();
    broker.consume(queue, { concurrency: 2 }, async (ticket) => seen.add(ticket));
    await seen.count(2);
    expect(new Set(seen.all.map(({ id }) => id))).toEqual(new Set(tickets.map(({ id }) => id)));
  });

  it('a ticket stays with a taker that lives, however long it works', async () => {
    const broker = await place.open({ visibilityMs: 900 });
    const keeper = await startConsumer(1, 'keep');
    const [ticket] = newTickets(1) as [Ticket];
    await broker.put(ticket, { queue });
    await keeper.printed(`took ${ticket.id}`);
    const seen = new Seen<Ticket>();
    broker.consume(queue, { concurrency: 1 }, async (taken) => seen.add(taken));
    // Three times as long as a ticket without a sign of life would stay.
    const later = newTickets(1).map((other) => ({ ...other, dueAt: Date.now() + 2_700 }));
    await broker.put(later, { queue });
    expect((await seen.count(1)).map(({ id }) => id)).toEqual(later.map(({ id }) => id));
    expect(await broker.stats(queue)).toMatchObject({ waiting: 0 });
  });
});
