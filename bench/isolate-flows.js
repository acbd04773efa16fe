/** Flows of one task that does nothing: in this thread, in a thread and in a process. Exported, for threads and processes load them from here. */
import { Flow } from 'batuta';
import { mark } from './flows.js';

export class Here {
  nothing() {
    return 1;
  }
}
mark(Here.prototype, 'nothing', {});
Flow({ name: 'here' })(Here);

export class InThread {
  nothing() {
    return 1;
  }
}
mark(InThread.prototype, 'nothing', { isolate: 'thread' });
Flow({ name: 'in-thread' })(InThread);

export class InProcess {
  nothing() {
    return 1;
  }
}
mark(InProcess.prototype, 'nothing', { isolate: 'process' });
Flow({ name: 'in-process' })(InProcess);
