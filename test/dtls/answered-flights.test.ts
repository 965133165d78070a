/** When a flight is answered, and who repeats what (RFC 9147 §7.2, RFC 6347 §4.2.4). */
import { describe, expect, it } from 'vitest';
import type { Bytes } from '../../src/core/bytes.ts';
import { Reader } from '../../src/core/bytes.ts';
import { isFailure } from '../../src/core/decode.ts';
import type { DtlsOptions } from '../../src/dtls/index.ts';
import type { Fragment } from '../../src/dtls/messages/handshake.ts';
import { decodeFragment } from '../../src/dtls/messages/handshake.ts';
import { fragmentOf, plaintextRecord, recordsIn } from './hostile.ts';
import { Pair, dropping } from './pair.ts';

const versions = { min: '1.3', max: '1.3' } as const;
const PLAINTEXT_HANDSHAKE = 22;

function pair13(options: Partial<DtlsOptions> = {}, server: Partial<DtlsOptions> = {}): Pair {
  const common = { versions, mtu: 300, ...options };
  return new Pair({ client: common, server: { ...common, ...server }, wire: () => [] }).start();
}

/** Everything `from` has to say now. */
function polled(pair: Pair, from: 'client' | 'server'): Bytes[] {
  const datagrams: Bytes[] = [];
  for (
    let data = pair.engine(from).pollTransmit();
    data !== undefined;
    data = pair.engine(from).pollTransmit()
  ) {
    datagrams.push(data);
  }
  return datagrams;
}

/** Hands `datagrams` over, and answers what comes back at once. */
function handOver(pair: Pair, to: 'client' | 'server', datagrams: readonly Bytes[], now = 0): Bytes[] {
  for (const data of datagrams) pair.engine(to).handlePacket(data, now);
  return polled(pair, to);
}

/** What `role` sends by the clock until `until`, with the times. */
function byTheClock(
  pair: Pair,
  role: 'client' | 'server',
  until: number,
): (readonly [at: number, data: Bytes])[] {
  const engine = pair.engine(role);
  const sent: (readonly [number, Bytes])[] = [];
  for (let at = engine.nextTimeout(); at <= until; at = engine.nextTimeout()) {
    engine.handleTimeout(at);
    for (const data of polled(pair, role)) sent.push([at, data]);
  }
  return sent;
}

/** Datagrams the client has sent at the start. */
function hellos(pair: Pair): Bytes[] {
  return pair.sent.filter(({ from }) => from === 'client').map(({ data }) => data);
}

/** The hello in a datagram's first record. */
function helloIn(datagram: Uint8Array | undefined): Fragment {
  const [record] = recordsIn(datagram ?? new Uint8Array());
  const hello = decodeFragment(new Reader(record?.subarray(13) ?? new Uint8Array()));
  if (isFailure(hello)) throw new Error(hello.reason);
  return hello;
}

describe('D2: a part of the answer ends the flight in DTLS 1.3', () => {
  it('D2: client: ServerHello and some of what follows have come: one ACK, and the ClientHello goes out no more', () => {
    const pair = pair13();
    const flight = handOver(pair, 'server', hellos(pair));
    expect(flight.length).toBeGreaterThan(2);
    handOver(pair, 'client', flight.slice(0, 2));
    const sent = byTheClock(pair, 'client', 10_000);
    expect(sent.map(([at, data]) => [at, data[0]! >>> 5])).toEqual([[100, 1]]);
    expect(pair.client.inspect().timers).not.toHaveProperty('dtlsRetransmit');
    expect(pair.client.invariantViolation()).toBeUndefined();
    // The ACK names the ServerHello's record too: the server repeats nothing in plaintext, and only what was lost.
    const again = handOver(
      pair,
      'server',
      sent.map(([, data]) => data),
      110,
    );
    expect(again.some((data) => data[0] === PLAINTEXT_HANDSHAKE)).toBe(false);
    expect(again.length).toBe(flight.length - 2);
    const last = handOver(pair, 'client', again, 120);
    handOver(pair, 'server', last, 130);
    expect([pair.client.state, pair.server.state]).toEqual(['connected', 'connected']);
  });

  it('D2: client: the ACK is lost, the server repeats by its timer, and both connect', () => {
    const pair = pair13();
    const flight = handOver(pair, 'server', hellos(pair));
    handOver(pair, 'client', flight.slice(0, 2));
    byTheClock(pair, 'client', 390);
    const again = byTheClock(pair, 'server', 400).map(([, data]) => data);
    expect(again.length).toBe(flight.length);
    handOver(pair, 'server', handOver(pair, 'client', again, 410), 420);
    expect([pair.client.state, pair.server.state]).toEqual(['connected', 'connected']);
  });

  it('D2: client: a fragment of the ServerHello is enough where nothing but DTLS 1.3 is spoken', () => {
    const pair = pair13({ groups: ['x25519mlkem768'] });
    const flight = handOver(pair, 'server', hellos(pair));
    handOver(pair, 'client', flight.slice(0, 2));
    expect(pair.client.inspect().handshake.state).toBe('await-server-hello');
    expect(byTheClock(pair, 'client', 10_000)).toEqual([]);
    // Once the keys are here its records are acknowledged, every one of them.
    handOver(pair, 'client', flight.slice(2, -1), 10_000);
    const acks = byTheClock(pair, 'client', 10_200).map(([, data]) => data);
    const again = handOver(pair, 'server', acks, 10_210);
    expect(again.some((data) => data[0] === PLAINTEXT_HANDSHAKE)).toBe(false);
  });

  it('D2: HelloRetryRequest: a fragment of the second ServerHello stops the second ClientHello', () => {
    const groups = ['secp384r1'] as const;
    const pair = pair13({ versions: { min: '1.2', max: '1.3' } }, { groups });
    const second = handOver(pair, 'client', handOver(pair, 'server', hellos(pair)));
    const flight = handOver(pair, 'server', second);
    const hello = helloIn(flight[0]);
    const part = fragmentOf(hello.type, hello.messageSeq, hello.body, 0, 40);
    handOver(pair, 'client', [plaintextRecord(PLAINTEXT_HANDSHAKE, part, 7)]);
    expect(byTheClock(pair, 'client', 10_000)).toEqual([]);
    expect(pair.client.inspect().handshake.state).toBe('await-retried-server-hello');
  });

  it('D2: server: a fragment of the second ClientHello stops the HelloRetryRequest', () => {
    const pair = pair13({}, { groups: ['secp384r1'] });
    const second = handOver(pair, 'client', handOver(pair, 'server', hellos(pair)));
    const hello = helloIn(second[0]);
    const part = fragmentOf(hello.type, hello.messageSeq, hello.body, 0, 40);
    handOver(pair, 'server', [plaintextRecord(PLAINTEXT_HANDSHAKE, part, 7)]);
    expect(byTheClock(pair, 'server', 10_000)).toEqual([]);
    // The client repeats, and it goes on.
    const flight = handOver(pair, 'server', second, 10_000);
    handOver(pair, 'server', handOver(pair, 'client', flight, 10_010), 10_020);
    expect([pair.client.state, pair.server.state]).toEqual(['connected', 'connected']);
  });

  it('D2: server: a part of the last flight has come: one ACK, and its own flight goes out no more', () => {
    const pair = pair13();
    const last = handOver(pair, 'client', handOver(pair, 'server', hellos(pair)));
    expect(last.length).toBeGreaterThan(1);
    handOver(pair, 'server', last.slice(0, 1));
    expect(byTheClock(pair, 'server', 10_000).map(([at, data]) => [at, data[0]! >>> 5])).toEqual([[100, 1]]);
    expect(pair.server.invariantViolation()).toBeUndefined();
    handOver(pair, 'server', last.slice(1), 10_000);
    expect(pair.server.state).toBe('connected');
  });

  it('D2: a plaintext fragment that is no part of a ServerHello changes nothing', () => {
    const pair = pair13();
    const forged = fragmentOf(11, 0, new Uint8Array(100), 0, 50);
    const ahead = fragmentOf(2, 3, new Uint8Array(100), 0, 50);
    for (const part of [forged, ahead]) {
      handOver(pair, 'client', [plaintextRecord(PLAINTEXT_HANDSHAKE, part, 7)]);
    }
    expect(byTheClock(pair, 'client', 400).map(([at]) => at)).toContain(400);
  });

  it('D2: DTLS 1.2: a part of the answer changes nothing (RFC 6347 §4.2.4)', () => {
    const pair = pair13({ versions: { min: '1.2', max: '1.2' } });
    const flight = handOver(pair, 'server', hellos(pair));
    handOver(pair, 'client', flight.slice(0, 2));
    expect(byTheClock(pair, 'client', 400).length).toBeGreaterThan(0);
  });
});

describe("A10: who repeats the peer's message gets the flight again, once in a quarter of the timeout", () => {
  /** The 26 bytes that ask for the server's flight: the last byte of the ClientHello it answers. */
  function trigger(pair: Pair, sequence: number): Bytes {
    const hello = helloIn(hellos(pair).at(-1));
    const whole = new Uint8Array(hello.length);
    return plaintextRecord(PLAINTEXT_HANDSHAKE, fragmentOf(1, 0, whole, hello.length - 1, 1), sequence);
  }

  it.each(['1.2', '1.3'] as const)(
    'A10: a thousand forged records of 26 bytes in 400 ms, DTLS %s',
    (version) => {
      const pair = pair13({ versions: { min: version, max: version } });
      const flight = handOver(pair, 'server', hellos(pair));
      let repeated = 0;
      for (let i = 0; i < 1000; i++) {
        const record = trigger(pair, i);
        expect(record).toHaveLength(26);
        repeated += handOver(pair, 'server', [record], 1 + i * 0.399).length;
      }
      expect(repeated).toBe(4 * flight.length);
      expect(pair.server.inspect().counters).toMatchObject({ repetitions: 4, repetitionsSuppressed: 996 });
    },
  );

  it('A10: the last flight of DTLS 1.2 is still repeated for a peer that has lost it', () => {
    const pair = new Pair({ wire: dropping(3) }).start().run();
    expect([pair.connected, pair.server.inspect().counters.repetitions]).toEqual([true, 1]);
  });
});
