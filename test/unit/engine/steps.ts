import { type FlowContext, type Input, Task, type TaskContext } from 'batuta';

/** Tasks for code flows of tests: one that gives what it is given, one that fails, one that joins what others give. */
export abstract class Steps {
  abstract run(params: unknown, ctx: FlowContext): Promise<unknown>;

  @Task({ retries: 1 })
  async step(name: string, _ctx?: TaskContext): Promise<string> {
    return name;
  }

  @Task()
  async fail(message: string): Promise<never> {
    throw new Error(message);
  }

  @Task()
  async join(...parts: Input<string>[]): Promise<string> {
    return (parts as string[]).join('+');
  }

  /** A plain method of the class. */
  protected nested(name: string): Promise<string> {
    return this.step(name);
  }
}
