import { once } from 'node:events';
import { appendFile, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';

/**
 * The notification sink, a process of its own: `node notifications.js <host:port> <file>`.
 * POST /notify appends `{at, body}` to the file, one JSON object a line; GET /notifications gives the file.
 */
async function main([address = '', file = '']: string[]): Promise<void> {
  const [host, port] = address.split(':');
  const server = createServer((request, response) => {
    const answer = request.method === 'POST' ? keep() : readFile(file, 'utf8').catch(() => '');
    answer.then(
      (body) => response.end(body),
      (error: Error) => response.writeHead(500).end(error.message),
    );

    async function keep(): Promise<string> {
      const received = await text(request);
      await appendFile(file, `${JSON.stringify({ at: new Date().toISOString(), body: parsed(received) })}\n`);
      return '';
    }
  });
  server.listen({ host, port: Number(port) });
  await once(server, 'listening');
}

function parsed(received: string): unknown {
  try {
    return JSON.parse(received);
  } catch {
    return received;
  }
}

main(process.argv.slice(2)).catch((error: Error) => {
  console.error(`The notification sink did not start: ${error.message}`);
  process.exit(1);
});
