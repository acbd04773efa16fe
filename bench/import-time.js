/** Prints `{ ms }`: how long the import of the library takes in a fresh process. Started by `startup.js`. */
const startedAt = performance.now();
await import('batuta');
console.log(JSON.stringify({ ms: performance.now() - startedAt }));
