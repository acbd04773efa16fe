/** Secrets, variables and connections for a task in its own thread or process: requested from the engine, and hidden here too. */
import { hideSecret } from '../base/hidden-values.ts';
import { BatutaError } from '../base/errors.ts';
import { errorOf, type Failure } from '../model/failure.ts';
import type { ConnectionValues, NamedValues } from '../model/secret.ts';
import type { HostMessage, GuestMessage, GuestQuestion } from '../model/isolate-protocol.ts';

interface Waiter {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

export class HostQuestions implements NamedValues {
  readonly #send: (message: GuestMessage) => void;
  readonly #waiting = new Map<number, Waiter>();
  #last = 0;
  #isOver = false;

  constructor(send: (message: GuestMessage) => void) {
    this.#send = send;
  }

  answered(message: HostMessage & { readonly kind: 'answer' }): void {
    const waiter = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if ('failure' in message) waiter?.reject(errorOf(message.failure));
    else waiter?.resolve(message.value);
  }

  /**
   * The task has ended, and later answers are lost: pending and future requests are refused. Otherwise a resource that outlives the task
   * and is still being opened would never open.
   */
  end(): void {
    this.#isOver = true;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(tooLate());
  }

  async secret(name: string): Promise<string> {
    const value = await this.#ask<string>('secret', name);
    hideSecret(value);
    return value;
  }

  findVariable(name: string): ReturnType<NamedValues['findVariable']> {
    return this.#ask('findVariable', name);
  }

  async variableMissing(name: string): Promise<BatutaError> {
    return errorOf(await this.#ask<Failure>('variableMissing', name)) as BatutaError;
  }

  async connection(name: string): Promise<ConnectionValues> {
    const connection = await this.#ask<ConnectionValues>('connection', name);
    for (const field of connection.secretFields) hideSecret(String(connection.fields[field]));
    return connection;
  }

  #ask<T>(what: GuestQuestion['what'], name: string): Promise<T> {
    if (this.#isOver) return Promise.reject(tooLate());
    const id = ++this.#last;
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve: (value) => resolve(value as T), reject });
      this.#send({ kind: 'ask', id, what, name });
    });
  }
}

function tooLate(): BatutaError {
  return new BatutaError('RESOURCE_CLOSED', 'The task that asks for it has ended: await whatever reads secrets, variables or connections.');
}
