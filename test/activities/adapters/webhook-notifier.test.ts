import { text } from 'node:stream/consumers';
import { webhookNotifier } from '../../../activities/adapters/webhook-notifier';
import { startBackend, type TestBackend } from '../../harness/haproxy';

const NOTICE = {
  to: 'on-call',
  webhook: 'http://127.130.5.1:9094/secret-path',
  run: 'node-failover-1',
  subject: 'a-n1 needs attention',
  body: 'It died three times.',
};

let receiver: TestBackend;
let received: { headers: Record<string, unknown>; body: unknown }[];
let status: number;

beforeEach(async () => {
  received = [];
  status = 204;
  receiver = await startBackend('127.130.5.1:9094', (request, response) => {
    void text(request).then((body) => {
      received.push({ headers: request.headers, body: JSON.parse(body) });
      response.writeHead(status).end();
    });
  });
});

afterEach(() => receiver.stop());

it('posts the notice with a key by which the receiver tells repetitions', async () => {
  await webhookNotifier().notify(NOTICE, 'key-1');
  const { webhook: _, ...notice } = NOTICE;
  expect(received).toMatchObject([
    {
      headers: { 'idempotency-key': 'key-1', 'content-type': 'application/json' },
      body: { ...notice, key: 'key-1', text: 'a-n1 needs attention\nIt died three times.' },
    },
  ]);
});

it('throws when the receiver refuses, without telling the path, which may be a secret', async () => {
  status = 500;
  await expect(webhookNotifier().notify(NOTICE, 'key-1')).rejects.toThrow(
    /^notice to on-call at 127\.130\.5\.1:9094: HTTP 500$/,
  );
});

it('throws when there is no receiver', async () => {
  const notice = { ...NOTICE, webhook: 'http://127.130.5.2:9094/secret-path' };
  await expect(webhookNotifier().notify(notice, 'key-1')).rejects.toThrow(
    /^notice to on-call at 127\.130\.5\.2:9094: connection refused$/,
  );
});
