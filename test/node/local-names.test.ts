/** Multicast DNS: questions, answers and their bounds over a link of the test's own, and once over the real one. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { LocalNames, type MdnsOptions, type MulticastDns } from '../../src/node/local-names.ts';

const PEER = '3f0a4d2e-0000-4000-8000-000000000001.local';

afterEach(() => {
  vi.useRealTimers();
});

type Query = Parameters<MulticastDns['query']>[0];
type Response = Parameters<MulticastDns['respond']>[0];

/** A link on which the test hears and says everything. */
class Link implements MulticastDns {
  readonly queries: Query[] = [];
  readonly responses: Response[] = [];
  destroyed = false;
  readonly #listeners = new Map<string, (packet: never, from: { port: number }) => void>();

  query(packet: Query): void {
    this.queries.push(packet);
  }

  respond(packet: Response): void {
    this.responses.push(packet);
  }

  update(): void {
    // all interfaces are there
  }

  on(type: string, listener: (packet: never, from: { port: number }) => void): void {
    this.#listeners.set(type, listener);
  }

  destroy(): void {
    this.destroyed = true;
  }

  say(type: 'query' | 'response' | 'warning', packet: object, port = 5353): void {
    this.#listeners.get(type)?.(packet as never, { port });
  }
}

function names(options: MdnsOptions = {}): { link: Link; local: LocalNames } {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  const link = new Link();
  return { link, local: new LocalNames(options, link) };
}

const answer = (name: string, data: unknown, type = 'A', ttl = 120): object => ({
  answers: [{ name, type, data, ttl }],
});

describe('a name of a peer', () => {
  test('is asked for in both families, and stands for what one response says', async () => {
    const { link, local } = names();
    const found = local.lookup(PEER);
    const again = local.lookup(`${PEER.toUpperCase()}.`);
    expect(link.queries).toEqual([
      {
        questions: [
          { name: PEER, type: 'A' },
          { name: PEER, type: 'AAAA' },
        ],
      },
    ]);
    link.say('response', {
      answers: [
        { name: 'another.local', type: 'A', data: '192.0.2.66', ttl: 120 },
        { name: PEER.toUpperCase(), type: 'A', data: '192.0.2.5', ttl: 120 },
      ],
      additionals: [{ name: PEER, type: 'AAAA', data: 'FD00::5', ttl: 120 }],
    });
    expect(await found).toEqual(['192.0.2.5', 'fd00::5']);
    expect(await again).toEqual(['192.0.2.5', 'fd00::5']);
    expect(local.stats()).toMatchObject({ lookups: 1, answered: 1 });
  });

  test('is asked for again after one second and three, and given up', async () => {
    const { link, local } = names({ timeout: 4000 });
    const found = local.lookup(PEER);
    vi.advanceTimersByTime(1000);
    expect(link.queries).toHaveLength(2);
    vi.advanceTimersByTime(2000);
    expect(link.queries).toHaveLength(3);
    vi.advanceTimersByTime(1000);
    expect(await found).toEqual([]);
    vi.advanceTimersByTime(60_000);
    expect(link.queries).toHaveLength(3);
    expect(local.stats()).toMatchObject({ unanswered: 1 });
  });

  test.each([
    ['from another port', answer(PEER, '192.0.2.5'), 1024],
    ['of another name', answer('x.local', '192.0.2.5'), 5353],
    ['that says goodbye', answer(PEER, '192.0.2.5', 'A', 0), 5353],
    ['that is no address', answer(PEER, 'nonsense'), 5353],
    ['that is no text', answer(PEER, Buffer.alloc(4)), 5353],
    ['of another kind', answer(PEER, '192.0.2.5', 'TXT'), 5353],
    ['that is empty', {}, 5353],
  ])('is not what a response says %s', async (_, packet, port) => {
    const { link, local } = names();
    const found = local.lookup(PEER);
    link.say('response', packet, port);
    vi.advanceTimersByTime(10_000);
    expect(await found).toEqual([]);
  });

  test('stands for a few addresses, though a response has hundreds; so many names at once', async () => {
    const { link, local } = names({ maxLookups: 1 });
    const found = local.lookup(PEER);
    expect(await local.lookup('other.local')).toEqual([]);
    link.say('response', {
      answers: Array.from({ length: 500 }, (_, i) => ({
        name: PEER,
        type: 'A',
        data: `192.0.2.${i % 250}`,
        ttl: 1,
      })),
    });
    expect(await found).toHaveLength(8);
    expect(local.stats()).toMatchObject({ refused: 1 });
  });
});

describe('a name of our own', () => {
  test('is random, one an address, announced, answered for once a second, and withdrawn', () => {
    const { link, local } = names({ publish: true });
    const name = local.publish('192.0.2.7');
    expect(name).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.local$/);
    expect(local.publish('192.0.2.7')).toBe(name);
    const six = local.publish('2001:db8::7');
    expect(six).not.toBe(name);
    const record = { name, type: 'A', ttl: 120, flush: true, data: '192.0.2.7' };
    expect(link.responses[0]).toMatchObject({ answers: [record], additionals: [{ type: 'NSEC' }] });
    expect(link.responses[1]).toMatchObject({ answers: [{ type: 'AAAA', data: '2001:db8::7' }] });
    const question = { questions: [{ name: name.toUpperCase(), type: 'A' }] };
    link.say('query', question);
    expect(link.responses).toHaveLength(2);
    vi.advanceTimersByTime(1000);
    link.say('query', { questions: Array.from({ length: 1000 }, () => question.questions[0]) });
    link.say('query', { questions: [{ name: 'foreign.local', type: 'A' }] });
    link.say('query', {});
    expect(link.responses).toHaveLength(3);
    expect(local.stats()).toMatchObject({ published: 2, responsesSent: 3, responsesLimited: 1000 });
    local.withdraw('192.0.2.7');
    expect(link.responses[3]).toEqual({ answers: [{ ...record, ttl: 0 }] });
    local.close();
    expect(link.responses).toHaveLength(5);
    expect(link.destroyed).toBe(true);
    expect(local.stats()).toMatchObject({ published: 0 });
  });

  test('is known to whoever asks for it here', async () => {
    const { link, local } = names({ publish: true });
    expect(await local.lookup(local.publish('192.0.2.7'))).toEqual(['192.0.2.7']);
    expect(link.queries).toEqual([]);
  });
});

test('closed: what is looked up stands for nothing; what goes wrong on the link is counted', async () => {
  const { link, local } = names();
  const found = local.lookup(PEER);
  link.say('warning', new Error('no multicast here'));
  local.close();
  expect(await found).toEqual([]);
  expect(local.stats()).toMatchObject({ failed: 1 });
});

test('over the real link of this machine, where it has one: one publishes, another one resolves', async (context) => {
  const [publisher, other] = await Promise.all([LocalNames.open({ publish: true }), LocalNames.open()]).catch(
    (error: unknown) => context.skip(`port 5353 is not to be had: ${String(error)}`),
  );
  const name = publisher.publish('192.0.2.7');
  const found = await other.lookup(name);
  publisher.close();
  other.close();
  if (found.length === 0) context.skip('no multicast passes on this machine');
  expect(found).toEqual(['192.0.2.7']);
});
