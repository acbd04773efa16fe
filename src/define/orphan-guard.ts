/**
 * The thread that ends a process of a task when its engine is gone, even one in a loop that never gives way: the other end of its pipe closes with
 * the process that holds it, however that ends. The whole group goes, with whatever the task has started.
 */
import { Socket } from 'node:net';
import { signalGroup } from '../base/process-group.ts';
import { lifelineFd } from '../model/isolate-protocol.ts';

const lifeline = new Socket({ fd: lifelineFd, readable: true, writable: false });
lifeline.on('error', () => undefined);
lifeline.on('close', () => signalGroup(process.pid, 'SIGKILL'));
lifeline.resume();
