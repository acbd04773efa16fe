/**
 * Fails a test file that leaves something running behind: sockets, servers, threads, watchers, child processes.
 *
 * What was open before the file started is not counted, and what is still closing gets a moment. Hooks of a setup file
 * run last, after every `afterAll` of the test file itself.
 */
import { subscribe } from 'node:diagnostics_channel';
import { readdirSync, readFileSync } from 'node:fs';
import type { Worker } from 'node:worker_threads';
import { afterAll } from 'vitest';

/** Names Node gives to what keeps a process alive and a test file must close. Timers and requests under way are not among them. */
const counted = ['TCPSocketWrap', 'TCPServerWrap', 'UDPWrap', 'ProcessWrap', 'FSEventWrap', 'StatWatcher'];

/** How long what is closing may take, ms. */
const graceMs = 3_000;

/** Threads that run; Node does not list them among its resources but tells of each that is made. */
const threads = new Set<Worker>();
subscribe('worker_threads', (message) => {
  const { worker } = message as { worker: Worker };
  threads.add(worker);
  worker.once('exit', () => threads.delete(worker));
});

const before = countResources();
const childrenBefore = new Set(listChildren());

afterAll(async () => {
  const deadline = performance.now() + graceMs;
  let leaks = findLeaks();
  while (leaks.length > 0 && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    leaks = findLeaks();
  }
  if (leaks.length > 0) throw new Error(`This test file left behind: ${leaks.join(', ')}.`);
});

function findLeaks(): string[] {
  const now = countResources();
  const resources = counted
    .filter((name) => (now.get(name) ?? 0) > (before.get(name) ?? 0))
    .map((name) => `${(now.get(name) ?? 0) - (before.get(name) ?? 0)} ${name}`);
  const children = listChildren().filter((pid) => !childrenBefore.has(pid));
  return [
    ...resources,
    ...[...threads].map((thread) => `thread ${thread.threadId}`),
    ...children.map((pid) => `child process ${pid}: ${commandOf(pid)}`),
  ];
}

function countResources(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of process.getActiveResourcesInfo()) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

/** Children of this process, on Linux; elsewhere the resources must do. The service of esbuild lives as long as its process. */
function listChildren(): number[] {
  try {
    return readdirSync('/proc/self/task')
      .flatMap((thread) => readFileSync(`/proc/self/task/${thread}/children`, 'utf8').split(' '))
      .filter((pid) => pid.trim() !== '')
      .map(Number)
      .filter((pid) => commandOf(pid) !== '' && !/[/\\]esbuild\b/.test(commandOf(pid)));
  } catch {
    return [];
  }
}

/** Command line of a process; empty when it is gone, or dead and only not yet reaped. */
function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '';
  }
}
