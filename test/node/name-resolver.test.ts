/** Names: order, cuts and every bound, with a resolver that the test answers for. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { NameResolver, type LocalNameLookup, type ResolverOptions } from '../../src/node/name-resolver.ts';

afterEach(() => {
  vi.useRealTimers();
});

interface Asked {
  readonly name: string;
  readonly answer: (addresses: string[]) => void;
  readonly fail: (error: Error) => void;
}

function resolver(options: ResolverOptions = {}, local?: LocalNameLookup) {
  const asked: Asked[] = [];
  const lookup = (name: string): Promise<string[]> =>
    new Promise((answer, fail) => asked.push({ name, answer, fail }));
  const names = new NameResolver({ lookup, ...options }, local);
  const told: Record<string, readonly string[]> = {};
  names.onReply = (reply) => {
    if (reply.type !== 'resolved') return;
    expect(told).not.toHaveProperty([reply.name]);
    told[reply.name] = reply.addresses;
  };
  return { names, asked, told };
}

/** Until what was answered has been told. */
async function told(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe('addresses', () => {
  test('both families by turns, that of the first leading; each once, in canonical text, none with a zone', async () => {
    const { names, asked, told: answers } = resolver();
    names.resolve('turn.example');
    asked[0]!.answer([
      '2001:DB8::1',
      '2001:db8::1',
      '2001:db8::2',
      'fe80::1%eth0',
      '192.0.2.1',
      'no address',
      '192.0.2.2',
      '192.0.2.3',
    ]);
    await told();
    expect(answers['turn.example']).toEqual([
      '2001:db8::1',
      '192.0.2.1',
      '2001:db8::2',
      '192.0.2.2',
      '192.0.2.3',
    ]);
  });

  test('of hundreds a few are used', async () => {
    const { names, asked, told: answers } = resolver({ maxAddresses: 2 });
    names.resolve('many.example');
    asked[0]!.answer(Array.from({ length: 300 }, (_, i) => `192.0.${i >> 8}.${i & 255}`));
    await told();
    expect(answers['many.example']).toEqual(['192.0.0.0', '192.0.0.1']);
    expect(names.stats()).toMatchObject({ resolved: 1, addressesCut: 298, names: 0 });
  });

  test('a name that does not resolve, a resolver that throws: none', async () => {
    const { names, asked, told: answers } = resolver();
    names.resolve('nowhere.example');
    asked[0]!.fail(new Error('ENOTFOUND'));
    await told();
    expect(answers['nowhere.example']).toEqual([]);
    expect(names.stats()).toMatchObject({ asked: 1, unresolved: 1, resolved: 0 });
    const throwing = resolver({
      lookup: () => {
        throw new Error('broken');
      },
    });
    throwing.names.resolve('a.example');
    await told();
    expect(throwing.told['a.example']).toEqual([]);
  });

  test('the system knows this host', async () => {
    const names = new NameResolver();
    const answer = new Promise<readonly string[]>((resolve) => {
      names.onReply = (reply) => resolve(reply.type === 'resolved' ? reply.addresses : []);
    });
    names.resolve('localhost');
    expect((await answer).some((address) => address === '127.0.0.1' || address === '::1')).toBe(true);
  });
});

describe('bounds', () => {
  test('so many at once, the others wait; a name asked for twice is looked up once', async () => {
    const { names, asked, told: answers } = resolver({ maxConcurrent: 2 });
    for (const name of ['a', 'b', 'c', 'a', 'c']) names.resolve(name);
    await told();
    expect(asked.map(({ name }) => name)).toEqual(['a', 'b']);
    asked[1]!.answer(['192.0.2.2']);
    await told();
    expect(asked.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
    expect(answers).toEqual({ b: ['192.0.2.2'] });
    expect(names.stats()).toMatchObject({ asked: 3, names: 2 });
  });

  test('more than may wait do not resolve', async () => {
    const { names, told: answers } = resolver({ maxConcurrent: 1, maxWaiting: 1 });
    for (const name of ['a', 'b', 'c']) names.resolve(name);
    await told();
    expect(answers).toEqual({ c: [] });
    expect(names.stats()).toMatchObject({ refused: 1, names: 2 });
  });

  test('late: given up, and its place is kept until the look-up ends', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const { names, asked, told: answers } = resolver({ maxConcurrent: 1, timeout: 1000 });
    names.resolve('a');
    vi.advanceTimersByTime(900);
    names.resolve('b');
    vi.advanceTimersByTime(100);
    expect(answers).toEqual({ a: [] });
    vi.advanceTimersByTime(900);
    expect(answers).toEqual({ a: [], b: [] });
    names.resolve('c');
    expect(asked).toHaveLength(1);
    asked[0]!.answer(['192.0.2.1']);
    await told();
    expect(asked.map(({ name }) => name)).toEqual(['a', 'c']);
    expect(answers).toEqual({ a: [], b: [] });
    expect(names.stats()).toMatchObject({ timedOut: 2, names: 1 });
  });

  test('closed: nothing is told any more', async () => {
    const { names, asked, told: answers } = resolver();
    names.resolve('a');
    names.close();
    asked[0]!.answer(['192.0.2.1']);
    await told();
    expect(answers).toEqual({});
  });
});

describe('.local', () => {
  test('is never asked of the resolver; without multicast DNS it does not resolve', async () => {
    const without = resolver();
    without.names.resolve('a.local');
    await told();
    expect(without.told).toEqual({ 'a.local': [] });
    expect(without.asked).toEqual([]);
    const withIt = resolver({}, (name) => Promise.resolve(name === 'a.local' ? ['192.0.2.9'] : []));
    withIt.names.resolve('a.local');
    withIt.names.resolve('B.LOCAL.');
    await told();
    expect(withIt.told).toEqual({ 'a.local': ['192.0.2.9'], 'B.LOCAL.': [] });
  });
});
