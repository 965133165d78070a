/** What a server of ten lines is made of: `listen({ announce })`, `connection`, `accept`; and promises over real UDP. */
import { createSocket, type SocketOptions } from 'node:dgram';
import { createHash } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { UdpDriver, type UdpDriverOptions } from '../../src/node/index.ts';
import { messages, opened, readable, send, shutdown, writable } from '../../src/streams/index.ts';
import { closeDrivers, listen } from './driven-peer.ts';

afterEach(closeDrivers);

describe('announce', () => {
  test.each([
    [['203.0.113.7'], '0.0.0.0'],
    [['203.0.113.7', '2001:db8::7'], '::'],
    [[{ address: '203.0.113.7', port: 40_000 }], '0.0.0.0'],
  ] as const)('%j binds a wildcard, and peers are told what is announced', async (announce, bound) => {
    const asked: string[] = [];
    const driver = await listen({
      announce,
      createSocket: (options: SocketOptions) => {
        const socket = createSocket(options);
        const bind = socket.bind.bind(socket);
        socket.bind = ((wanted: { address: string }, ...rest: never[]) => {
          asked.push(wanted.address);
          return bind(wanted as never, ...rest);
        }) as never;
        return socket;
      },
    });
    expect(asked).toEqual([bound]);
    const told = driver.connection().localCandidates.map(({ address, port }) => ({ address, port }));
    const [first] = announce;
    const address = typeof first === 'string' ? first : first.address;
    expect(told).toContainEqual({
      address,
      port: typeof first === 'string' ? driver.addresses[0]?.port : first.port,
    });
  });

  test('what is bound may be said all the same; both forms at once may not', async () => {
    const driver = await listen({ address: '127.0.0.1', announce: ['203.0.113.7'] });
    expect(driver.addresses).toMatchObject([{ address: '127.0.0.1' }]);
    expect(driver.connection().localCandidates.map(({ address }) => address)).toEqual(['203.0.113.7']);
    const both: UdpDriverOptions = { announce: ['203.0.113.7'], announcedAddresses: ['203.0.113.7'] };
    await expect(UdpDriver.listen(both)).rejects.toMatchObject({ code: 'ERR_BAD_ARGUMENT' });
    await expect(UdpDriver.listen({ announce: [] })).rejects.toMatchObject({ code: 'ERR_BAD_ARGUMENT' });
  });
});

describe('accept', () => {
  test('one certificate for all, and nothing is left of what is refused', async () => {
    const server = await listen();
    const [a, b] = [server.connection(), server.connection()];
    expect(a.localParameters.fingerprints).toEqual(b.localParameters.fingerprints);
    a.close();
    b.close();
    for (const offer of ['', 'v=0\r\n', 'nonsense', 5 as never])
      expect(() => server.accept(offer)).toThrow(
        expect.objectContaining({
          code: expect.stringMatching(/^ERR_(SDP|BAD_ARGUMENT)$/) as string,
        }) as Error,
      );
    await new Promise((resolve) => setImmediate(resolve));
    expect(server.endpoint.size).toBe(0);
  });

  test('a server and a client over real UDP: a pipe, a loop, and the end', async () => {
    const server = await listen({
      onEvent: (event) => {
        if (event.type === 'datachannel')
          void readable(event.channel)
            .pipeTo(writable(event.channel))
            .catch(() => undefined);
      },
    });
    const client = await listen();
    const rtc = client.connection();
    const draft = rtc.negotiation();
    const echo = draft.addChannel('echo');
    const offer = draft.offer();
    const { answer, rtc: served } = server.accept(offer.sdp);
    offer.accept(answer);

    await opened(echo);
    const size = 4_000_000;
    const sent = createHash('sha256');
    const writing = (async () => {
      for (let at = 0; at < size; at += 16_000) {
        const chunk = new Uint8Array(16_000).fill(at / 16_000);
        sent.update(chunk);
        await send(echo, chunk);
      }
    })();
    const received = createHash('sha256');
    let length = 0;
    for await (const chunk of messages(echo)) {
      received.update(chunk);
      length += chunk.length;
      if (length >= size) break;
    }
    await writing;
    expect(received.digest('hex')).toBe(sent.digest('hex'));
    await shutdown(rtc);
    expect(rtc.isEmpty).toBe(true);
    expect(server.endpoint.connections()).not.toContain(rtc);
    while (!served.isEmpty) await new Promise((resolve) => setTimeout(resolve, 5));
  });
});
