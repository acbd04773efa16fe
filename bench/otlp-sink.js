/**
 * A receiver of OTLP over protobuf that counts spans and keeps nothing, in a process of its own. Its first line is its address; for each line that it is sent it
 * says how many spans have come.
 *
 * Source: https://github.com/open-telemetry/opentelemetry-proto, ExportTraceServiceRequest.
 */
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';

let spans = 0;
const server = createServer((request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    if (request.url === '/v1/traces') spans += countSpans(Buffer.concat(parts));
    response.writeHead(200, { 'content-type': request.headers['content-type'] }).end();
  });
});
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
const asked = createInterface({ input: process.stdin });
asked.on('line', () => console.log(spans));
asked.on('close', () => process.exit());

/** Spans lie in field 2 of what lies in field 2 of what lies in field 1. */
function countSpans(bytes) {
  let count = 0;
  for (const resource of fieldsOf(bytes, [0, bytes.length], 1))
    for (const scope of fieldsOf(bytes, resource, 2)) for (const _span of fieldsOf(bytes, scope, 2)) count++;
  return count;
}

/** Where each message begins and ends that a field holds. */
function* fieldsOf(bytes, [from, to], wanted) {
  for (let at = from; at < to; ) {
    const [tag, next] = readNumber(bytes, at);
    const kind = tag & 7;
    if (kind === 2) {
      const [length, begin] = readNumber(bytes, next);
      at = begin + length;
      if (tag >>> 3 === wanted) yield [begin, at];
    } else at = kind === 0 ? readNumber(bytes, next)[1] : next + (kind === 1 ? 8 : 4);
  }
}

/** A number in base 128, and what stands behind it. */
function readNumber(bytes, from) {
  let value = 0;
  for (let at = from, shift = 1; ; at++, shift *= 128) {
    value += (bytes[at] & 127) * shift;
    if (bytes[at] < 128) return [value, at + 1];
  }
}
