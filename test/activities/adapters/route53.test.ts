import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { CreateHostedZoneCommand, GetHostedZoneCommand } from '@aws-sdk/client-route-53';
import { route53 } from '../../../activities/adapters/route53';
import type { DnsConfig } from '../../../core/config';
import { weightsOf } from '../../../core/dns';
import type { TestProcess } from '../../harness/process';
import { KEYS, recordSet, startNameserver, startRoute53, type TestRoute53 } from '../../harness/route53';
import { until } from '../../harness/until';

/** The adapter on a real emulator; what that does not do itself is injected by a proxy before it. */
const [EMULATOR, PROXY, NAMESERVER] = ['127.120.7.1', '127.120.7.2:5000', '127.120.7.3'] as const;
const [EAST, CENTRAL] = ['127.121.0.1', '127.122.0.1'] as const;
const NAME = 'fleet.mcp.test.';

/** What becomes of a call, instead of its being passed on. @returns false where it is passed on after all */
type Injection = (
  call: IncomingMessage,
  response: ServerResponse,
  body: string,
) => boolean | Promise<boolean>;

let emulator: TestRoute53;
let nameserver: TestProcess;
let proxy: Server;
/** For the calls to come, in turn; those after them are passed on. */
let injected: Injection[] = [];
/** Method and path of every call. */
let calls: string[] = [];
/** Bodies of the changes. */
let changes: string[] = [];

const config: DnsConfig = {
  kind: 'route53',
  endpoint: `http://${PROXY}`,
  region: 'us-east-1',
  zone: 'mcp.test.',
  name: 'fleet.mcp.test',
  ttl: '30s',
  nameservers: [`${NAMESERVER}:53`],
};

beforeAll(async () => {
  emulator = await startRoute53(EMULATOR);
  nameserver = startNameserver(NAMESERVER, emulator);
  proxy = createServer((call, response) => void passOn(call, response)).listen(5000, PROXY.split(':')[0]);
  await once(proxy, 'listening');
});
beforeEach(async () => {
  [injected, calls, changes] = [[], [], []];
  await emulator.change(
    'UPSERT',
    recordSet(NAME, EAST, { SetIdentifier: 'east', Weight: 40, HealthCheckId: 'check' }),
    recordSet(NAME, CENTRAL, { SetIdentifier: 'central', Weight: 35, TTL: 30 }),
    recordSet('gleet.mcp.test.', EAST, { SetIdentifier: 'other', Weight: 1 }),
  );
});
afterAll(async () => {
  proxy.closeAllConnections();
  proxy.close();
  await nameserver.kill();
  await emulator.stop();
});

async function passOn(call: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await buffer(call);
  calls.push(`${call.method} ${call.url?.split('?')[0]}`);
  if (call.method === 'POST') changes.push(body.toString());
  if (await injected.shift()?.(call, response, body.toString())) return;
  const { status, text } = await send(call, body);
  response.writeHead(status, { 'content-type': 'text/xml' }).end(text);
}

async function send(call: IncomingMessage, body: Buffer): Promise<{ status: number; text: Buffer }> {
  const { method, url: path, headers } = call;
  const onward = request({ host: EMULATOR, port: 5000, method, path, headers }).end(body);
  const [answer] = (await once(onward, 'response')) as [IncomingMessage];
  return { status: answer.statusCode ?? 0, text: await buffer(answer) };
}

/** The API says no, in the words of Route 53. */
const says =
  (status: number, code: string, message = 'words'): Injection =>
  (_, response) => {
    const error = `<Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error>`;
    response
      .writeHead(status, { 'content-type': 'text/xml' })
      .end(
        `<ErrorResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/">${error}<RequestId>r</RequestId></ErrorResponse>`,
      );
    return true;
  };
const silent: Injection = () => true;
const passedOn: Injection = () => false;
/** The call takes effect, and its answer is lost. */
const answerLost: Injection = async (call, response, body) => {
  await send(call, Buffer.from(body));
  response.destroy();
  return true;
};

const dns = (more: Partial<DnsConfig> = {}) => route53({ ...config, ...more }, KEYS);

describe('look', () => {
  it('tells the weighted sets of the name, and nothing of others', async () => {
    expect(await dns().look()).toEqual({
      name: NAME,
      ttlS: 30,
      records: [
        { region: 'east', weight: 40, addresses: [EAST], healthCheck: 'check' },
        { region: 'central', weight: 35, addresses: [CENTRAL] },
      ],
    });
  });

  it('finds the zone once, and not at all where its id is named', async () => {
    const one = dns();
    await one.look();
    await one.look();
    expect(calls.filter((call) => call.includes('hostedzonesbyname'))).toHaveLength(1);
    calls = [];
    await dns({ zone: emulator.zone.replace('/hostedzone/', '') }).look();
    expect(calls.filter((call) => call.includes('hostedzonesbyname'))).toEqual([]);
  });

  it('reads on where the sets do not fit on a page', async () => {
    // The emulator does not go on within a name, so the pages are made here.
    const page = (region: string, weight: number, next: string) =>
      `<ListResourceRecordSetsResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><ResourceRecordSets><ResourceRecordSet><Name>${NAME}</Name><Type>A</Type><SetIdentifier>${region}</SetIdentifier><Weight>${weight}</Weight><TTL>9</TTL><ResourceRecords><ResourceRecord><Value>${EAST}</Value></ResourceRecord></ResourceRecords></ResourceRecordSet></ResourceRecordSets><IsTruncated>${next !== ''}</IsTruncated>${next}<MaxItems>1</MaxItems></ListResourceRecordSetsResponse>`;
    const next = `<NextRecordName>${NAME}</NextRecordName><NextRecordType>A</NextRecordType><NextRecordIdentifier>b</NextRecordIdentifier>`;
    const asked: string[] = [];
    const paged =
      (text: string): Injection =>
      (call, response) => {
        asked.push(new URL(call.url ?? '', 'http://x').searchParams.get('identifier') ?? '');
        response.writeHead(200, { 'content-type': 'text/xml' }).end(text);
        return true;
      };
    injected = [passedOn, paged(page('a', 1, next)), paged(page('b', 2, ''))];
    expect(weightsOf(await dns().look())).toEqual({ a: 1, b: 2 });
    expect(asked).toEqual(['', 'b']);
  });

  it.each<[string, Partial<DnsConfig>, string]>([
    ['no such zone', { zone: 'nowhere.test.' }, 'there is none'],
    ['no such zone id', { zone: 'Z000' }, 'NoSuchHostedZone'],
    ['no such name', { name: 'nobody.mcp.test.' }, 'no record set of type A'],
    ['sets that are not weighted', { name: 'plain.mcp.test' }, 'is not a weighted one'],
  ])('%s: refused for good', async (_, more, message) => {
    await emulator.change('UPSERT', recordSet('plain.mcp.test.', EAST, {}));
    await expect(dns(more).look()).rejects.toMatchObject({
      code: 'DNS_REFUSED',
      message: expect.stringContaining(message),
    });
  });

  it('a name that two zones have is not guessed at', async () => {
    for (const CallerReference of ['one', 'two'])
      await emulator.client.send(new CreateHostedZoneCommand({ Name: 'twice.test.', CallerReference }));
    await expect(dns({ zone: 'twice.test' }).look()).rejects.toMatchObject({
      code: 'DNS_REFUSED',
      message: expect.stringContaining('there are several'),
    });
  });
});

describe('shift', () => {
  it('is one batch with the key as its comment; TTL, addresses and health checks stay', async () => {
    const before = await dns().look();
    const change = await dns().shift({ east: 0, central: 70 }, 'run-1/step-2');
    expect(await dns().insync(change)).toBe(true);
    const weights: Record<string, number> = { east: 0, central: 70 };
    const records = before.records.map((record) => ({ ...record, weight: weights[record.region]! }));
    expect(await dns().look()).toEqual({ ...before, records });
    expect(changes).toHaveLength(1);
    expect(changes[0]).toContain('<Comment>run-1/step-2</Comment>');
    expect(changes[0]!.match(/<Action>UPSERT<\/Action>/g)).toHaveLength(2);
    expect(changes[0]).toContain('<TTL>30</TTL>');
  });

  it('of one region leaves the others out of it', async () => {
    await dns().shift({ central: 36 }, 'key');
    expect(changes[0]).not.toContain('east');
    expect(weightsOf(await dns().look())).toEqual({ east: 40, central: 36 });
  });

  it.each<[string, Record<string, number>, string]>([
    ['a weight that is too high', { east: 256 }, 'from 0 to 255'],
    ['half a weight', { east: 0.5 }, 'whole number'],
    ['an unknown region', { west: 1 }, 'no record set for "west"; there are east, central'],
    [
      'nothing but zeros',
      { east: 0, central: 0 },
      'no region of fleet.mcp.test. would have a weight above 0',
    ],
  ])('%s is refused before anything is sent: the emulator would take it', async (_, weights, message) => {
    await expect(dns().shift(weights, 'key')).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringContaining(message),
    });
    expect(changes).toEqual([]);
  });

  it('whose answer was lost has taken effect, and sent again changes nothing', async () => {
    const one = dns();
    await one.look();
    injected = [passedOn, answerLost, answerLost, answerLost];
    await expect(one.shift({ east: 0 }, 'key')).rejects.toMatchObject({ code: 'DNS_UNREACHABLE' });
    expect(weightsOf(await one.look())).toEqual({ east: 0, central: 35 });
    await one.shift({ east: 0 }, 'key');
    expect(weightsOf(await one.look())).toEqual({ east: 0, central: 35 });
  });

  it('of a batch that Route 53 does not take: its reasons are in the message', async () => {
    const one = dns();
    await one.look();
    const body = '<Messages><Message>Weight is not valid</Message><Message>nor is TTL</Message></Messages>';
    const other: Injection = (_, response) => {
      const xmlns = 'https://route53.amazonaws.com/doc/2013-04-01/';
      response
        .writeHead(400, { 'content-type': 'text/xml' })
        .end(`<InvalidChangeBatch xmlns="${xmlns}">${body}<RequestId>r</RequestId></InvalidChangeBatch>`);
      return true;
    };
    for (const refusal of [other, says(400, 'InvalidChangeBatch', '[Weight is not valid; nor is TTL]')]) {
      injected = [passedOn, refusal];
      await expect(one.shift({ east: 1 }, 'key')).rejects.toMatchObject({
        code: 'DNS_REFUSED',
        message: expect.stringMatching('Weight is not valid; nor is TTL'),
      });
    }
  });
});

describe('trouble with the API', () => {
  const looked = async () => {
    const one = dns();
    await one.look();
    calls = [];
    return one;
  };

  it('throttled twice, then through: nobody notices', async () => {
    const one = await looked();
    injected = [says(400, 'Throttling', 'Rate exceeded'), says(400, 'Throttling', 'Rate exceeded')];
    expect(weightsOf(await one.look())).toEqual({ east: 40, central: 35 });
    expect(calls).toHaveLength(3);
  });

  it.each([
    [400, 'Throttling'],
    [400, 'PriorRequestNotComplete'],
    [429, 'TooManyRequestsException'],
    [503, 'ServiceUnavailable'],
  ])('HTTP %i %s again and again may go away', async (status, code) => {
    const one = await looked();
    injected = Array(3).fill(says(status, code));
    await expect(one.look()).rejects.toMatchObject({
      code: 'DNS_UNREACHABLE',
      message: expect.stringContaining(code),
    });
  });

  it.each([
    [403, 'AccessDenied'],
    [403, 'InvalidClientTokenId'],
    [404, 'NoSuchHostedZone'],
    [400, 'InvalidInput'],
  ])('HTTP %i %s is refused at once, with the reason', async (status, code) => {
    const one = await looked();
    injected = [says(status, code, 'the user may not do that')];
    await expect(one.look()).rejects.toMatchObject({
      code: 'DNS_REFUSED',
      message: expect.stringMatching(`${code}.*the user may not do that`),
    });
    expect(calls).toHaveLength(1);
  });

  it('an API that says nothing is given up in time', async () => {
    const one = await looked();
    injected = [silent];
    await expect(one.look()).rejects.toMatchObject({
      code: 'DNS_UNREACHABLE',
      message: expect.stringContaining('no answer within 5000 ms'),
    });
  });

  it('nobody is there', async () => {
    await expect(dns({ endpoint: 'http://127.120.7.9:5000' }).look()).rejects.toMatchObject({
      code: 'DNS_UNREACHABLE',
      // Under jest the system's errors are of another realm, and the SDK wraps them.
      message: expect.stringMatching(/connection refused|ECONNREFUSED/),
    });
  });

  it('a zone that could not be found for the moment is looked for again', async () => {
    const one = dns();
    injected = Array(3).fill(says(500, 'InternalFailure'));
    await expect(one.look()).rejects.toMatchObject({ code: 'DNS_UNREACHABLE' });
    expect((await one.look()).records).toHaveLength(2);
  });
});

describe('answers', () => {
  it('come from every nameserver directly; one that is silent is told', async () => {
    const seen = await until('the nameserver has read the records', async () => {
      const [answers] = await dns().answers();
      return Object.keys(answers!.addresses).length === 2 && answers;
    });
    expect(seen).toMatchObject({
      server: `${NAMESERVER}:53`,
      asked: 20,
      ttlS: 30,
      said: '20 of 20 answered',
    });
    expect(Object.values(seen.addresses).reduce((sum, times) => sum + times, 0)).toBe(20);
    const away = '127.120.7.8:53';
    expect(await dns({ nameservers: [`${NAMESERVER}:53`, away] }).answers()).toMatchObject([
      { server: `${NAMESERVER}:53` },
      { server: away, addresses: {}, said: '0 of 20 answered; connection refused' },
    ]);
    expect(await dns({ name: 'nobody.mcp.test.' }).answers()).toMatchObject([
      { addresses: {}, said: '0 of 20 answered; there is no such name' },
    ]);
  });
});

it('the emulator was the real one', async () => {
  const { HostedZone } = await emulator.client.send(new GetHostedZoneCommand({ Id: emulator.zone }));
  expect(HostedZone?.Name).toBe('mcp.test.');
});
