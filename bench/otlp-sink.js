/** A receiver of OTLP that takes everything and keeps nothing, in a process of its own. Its first line is its address, its last how many requests came. */
import { createServer } from 'node:http';

let requests = 0;
const server = createServer((request, response) => {
  requests++;
  request.resume();
  request.on('end', () => response.writeHead(200, { 'content-type': request.headers['content-type'] }).end());
});
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
process.stdin.resume();
process.stdin.on('end', () => process.stdout.write(`${requests}\n`, () => process.exit()));
