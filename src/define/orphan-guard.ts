/**
 * The thread that ends a task's process when its engine is gone, even one in a loop that never yields: the other end of its pipe closes
 * with the process that holds it, however that ends. The whole process group goes, with everything the task started.
 */
import { Socket } from 'node:net';
import { signalGroup } from '../base/process-group.ts';
import { lifelineFd } from '../model/isolate-protocol.ts';

const lifeline = new Socket({ fd: lifelineFd, readable: true, writable: false });
lifeline.on('error', () => undefined);
lifeline.on('close', () => signalGroup(process.pid, 'SIGKILL'));
lifeline.resume();
