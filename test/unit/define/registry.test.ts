import { expect, test } from 'vitest';
import { definitionOf } from '../../../src/define/definition.ts';
import { Flow } from '../../../src/define/flow.ts';
import { createRegistry } from '../../../src/define/registry.ts';
import { Task } from '../../../src/define/task.ts';

@Flow()
class Orders {
  @Task() a() {}
}
@Flow()
class Stock {
  @Task() a() {}
}
@Flow({ name: 'orders' })
class Others {
  @Task() a() {}
}

test('a registry lists flows by name, knows the nearest, and takes the same flow twice', () => {
  const registry = createRegistry();
  for (const cls of [Stock, Orders, Orders]) registry.add(definitionOf(cls));
  expect(registry.list().map(({ name }) => name)).toEqual(['orders', 'stock']);
  expect(registry.get('stock')).toBe(definitionOf(Stock));
  expect(registry.get('stocks')).toBeUndefined();
  expect(registry.nearest('stocks')).toEqual(['stock']);
});

test('two flows of one name are refused, naming both classes and where they are', () => {
  const registry = createRegistry();
  registry.add(definitionOf(Orders));
  expect(() => registry.add(definitionOf(Others))).toThrow(
    expect.objectContaining({
      code: 'FLOW_DUPLICATE',
      message: expect.stringMatching(/'orders': Orders in .*registry\.test\.ts and Others in .*registry\.test\.ts\. Give one/),
    }),
  );
});

test('a class knows the file that declares it', () => {
  expect(definitionOf(Orders).source).toMatchObject({ file: expect.stringMatching(/registry\.test\.ts$/), exportName: 'Orders' });
});
