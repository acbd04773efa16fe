/** A reader of live events, as cheap as can be, so that 200 of them fit beside what is measured. */
import { get } from 'node:http';

/**
 * Opens a stream; resolves once the server says that it is live.
 *
 * @param {string} url
 * @returns {Promise<{ heard: Map<string, number>, close: () => void }>} `heard`: `<run> <state>` with how late it came, ms
 */
export function followStream(url) {
  return new Promise((resolve, reject) => {
    const heard = new Map();
    const request = get(url, { headers: { accept: 'text/event-stream' }, agent: false }, (response) => {
      let rest = '';
      response.setEncoding('utf8').on('data', (text) => {
        const events = (rest + text).split('\n\n');
        rest = events.pop() ?? '';
        for (const event of events) {
          const [head = '', data = ''] = event.split('\ndata: ');
          if (head === 'event: hello') resolve({ heard, close: () => request.destroy() });
          if (head !== 'event: run') continue;
          const { id, state, at } = JSON.parse(data);
          const key = `${id} ${state.name}`;
          if (!heard.has(key)) heard.set(key, Date.now() - Date.parse(at));
        }
      });
      response.on('error', () => undefined);
    });
    request.once('error', reject);
  });
}
