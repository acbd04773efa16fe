/** Opens a store as a user whom permissions bind, even when started as root, and prints the code and message of what it got. */
import { openStore } from '../../../src/store/open.ts';

const nobody = 65_534;
if (process.getuid?.() === 0) {
  process.setgid?.(nobody);
  process.setuid?.(nobody);
}
try {
  const store = await openStore({ url: process.argv[2] ?? '' });
  await store.close();
  process.stdout.write(JSON.stringify({ code: null, message: null }));
} catch (error) {
  const { code, message } = error as { code?: unknown; message?: unknown };
  process.stdout.write(JSON.stringify({ code, message }));
}
