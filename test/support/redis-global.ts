/** Makes sure of a Redis before the first test, so that test files which start at once do not install it at once. */
import { findServer } from './redis.ts';

export default function setup(): void {
  findServer();
}
