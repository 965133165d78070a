/**
 * Strangers: a flood from random addresses that nothing vouches for, against an endpoint with connections in every stage. It gets
 * no answer, and leaves connections, routes, timers and the heap as they were. What each kind costs is printed and not judged.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { beforeAll, expect, test } from 'vitest';
import { concatBytes } from '../../src/core/bytes.ts';
import { jsCrypto } from '../../src/crypto/index.ts';
import type { ReceiveInput } from '../../src/index.ts';
import { Endpoint, Rtc, SeededRandom } from '../../src/index.ts';
import type { EndpointOutput } from '../../src/index.ts';
import type { Output } from '../../src/rtc.ts';
import { datagramKind } from '../../src/rtc.ts';
import type { EndpointCounter } from '../../src/endpoint.ts';
import { Network } from '../../src/sim/index.ts';
import { StunAttributeType as Type, StunMethod, StunWriter, shortTermKey } from '../../src/stun/index.ts';
import { howMany } from '../how-many.ts';
import { certificates } from './pair.ts';

/** Of each kind: a hundred thousand in all, or of each. */
const COUNT = howMany(10_000, 100_000);
/** As many as a driver takes in before it drains. */
const BATCH = 16;
/** Bytes that a warm process may move by itself; a hundred thousand entries of anything are more. */
const FLAT = 4 * 1024 * 1024;

const SERVER = { address: '198.51.100.1', port: 3478 };
const EACH = 8;

interface Besieged {
  readonly endpoint: Endpoint;
  readonly now: number;
  /** A ClientHello and a record of data, as guests have sent them. */
  readonly hello: Uint8Array;
  readonly record: Uint8Array;
}

/** Guests that are connected, guests whose offers were answered and who never came, and some without signalling; one gathers. */
function besieged(): Besieged {
  const net = new Network({ seed: 1, defaults: { latency: 5 }, record: { datagrams: false, events: false } });
  const endpoint = new Endpoint();
  net.host(SERVER.address).attach<EndpointOutput>(endpoint, { port: SERVER.port });
  const records: Uint8Array[] = [];
  for (let i = 0; i < 3 * EACH; i++) {
    const rtc = new Rtc({ certificate: certificates[1], random: new SeededRandom(100 + i) });
    rtc.addLocalCandidate({ type: 'host', protocol: 'udp', ...SERVER });
    endpoint.add(rtc);
    if (i >= 2 * EACH) continue;
    const guest = new Rtc({ certificate: certificates[0], random: new SeededRandom(200 + i) });
    const address = `10.0.0.${i + 1}`;
    guest.addLocalCandidate({ type: 'host', protocol: 'udp', address, port: 9 });
    const draft = guest.negotiation();
    draft.addChannel('chat');
    const offer = draft.offer();
    offer.accept(rtc.receiveOffer(offer.sdp).answer());
    if (i >= EACH) continue;
    const tapped = {
      get isEmpty() {
        return guest.isEmpty;
      },
      invariantViolation: () => guest.invariantViolation(),
      handleInput: (input: Parameters<Rtc['handleInput']>[0]) => guest.handleInput(input),
      pollOutput: (): Output => {
        const output = guest.pollOutput();
        if (output.type === 'transmit' && datagramKind(output.data) === 'dtls') records.push(output.data);
        return output;
      },
    };
    net.host(address).attach<Output>(tapped, { port: 9 });
  }
  net.run({ limit: 4000 });
  // A server that does not answer: its answer is awaited all the while.
  const [rtc] = endpoint.connections().slice(-1);
  if (rtc === undefined) throw new Error('nobody gathers');
  endpoint.addSocket({ protocol: 'udp', ...SERVER });
  endpoint.gather(rtc, { iceServers: [{ urls: 'stun:192.0.2.50:3478' }] });
  net.run({ limit: 1000 });
  const [hello, record] = [records.at(0), records.at(-1)];
  if (hello === undefined || record === undefined) throw new Error('no guest has come');
  return { endpoint, now: net.now, hello, record };
}

const random = new SeededRandom(7);

function bytes(length: number): Uint8Array<ArrayBuffer> {
  const made = new Uint8Array(length);
  random.fill(made);
  return made;
}

/** Random bytes, the first of them between these two. */
function beginning(from: number, to: number, length: number): Uint8Array {
  const made = bytes(length);
  made[0] = from + (made[0]! % (to - from + 1));
  return made;
}

const key = shortTermKey(jsCrypto(), 'not the password of anybody');

function check(username: string): StunWriter {
  return new StunWriter('request', StunMethod.binding, bytes(12))
    .text(Type.username, username)
    .u32(Type.priority, 1)
    .attribute(Type.iceControlling, bytes(8));
}

/** Each kind, made anew for each datagram; and by which counter it is dropped, of the endpoint's or of ICE's. */
type Kinds = Readonly<
  Record<string, { readonly make: () => Uint8Array; readonly dropped?: EndpointCounter }>
>;

function kinds({ endpoint, hello, record }: Besieged): Kinds {
  const names = endpoint.connections().map((rtc) => rtc.localParameters.ice.usernameFragment);
  const known = (): string => `${names[bytes(1)[0]! % names.length] ?? ''}:evil`;
  const unknown = (): string => `${bytes(4).join('')}:evil`;
  const stun = (kind: 'success' | 'error' | 'indication'): StunWriter =>
    new StunWriter(kind, StunMethod.binding, bytes(12));
  return {
    'STUN check, unknown username': {
      make: () => check(unknown()).integrity(key).fingerprint().finish(),
      dropped: 'droppedUnknownUsername',
    },
    'STUN check, known username, no integrity': { make: () => check(known()).fingerprint().finish() },
    'STUN check, known username, wrong integrity': {
      make: () => check(known()).integrity(key).fingerprint().finish(),
    },
    'STUN success that nobody awaits': {
      make: () =>
        stun('success')
          .xorAddress(Type.xorMappedAddress, { address: '192.0.2.1', port: 1 })
          .integrity(key)
          .fingerprint()
          .finish(),
      dropped: 'droppedUnknownAddress',
    },
    'STUN error that nobody awaits': {
      make: () => stun('error').errorCode(487).fingerprint().finish(),
      dropped: 'droppedUnknownAddress',
    },
    'STUN indication': {
      make: () => stun('indication').fingerprint().finish(),
      dropped: 'droppedUnknownAddress',
    },
    ChannelData: {
      make: () => concatBytes(beginning(0x40, 0x4f, 2), Uint8Array.of(0, 96), bytes(96)),
      dropped: 'droppedUnknownAddress',
    },
    'DTLS ClientHello': { make: () => hello.slice(), dropped: 'droppedUnknownAddress' },
    'DTLS record of a guest': { make: () => record.slice(), dropped: 'droppedUnknownAddress' },
    'DTLS record at random': { make: () => beginning(20, 63, 120), dropped: 'droppedUnknownAddress' },
  };
}

/** All that there is but what is counted, as text. */
function state(endpoint: Endpoint): string {
  const rest = (name: string, value: unknown): unknown => (name === 'counters' ? undefined : value);
  return JSON.stringify([endpoint.inspect(), endpoint.connections().map((rtc) => rtc.inspect())], rest);
}

let collect = (): void => undefined;

beforeAll(() => {
  setFlagsFromString('--expose-gc');
  collect = runInNewContext('gc') as () => void;
});

function heap(): number {
  for (let i = 0; i < 3; i++) collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Milliseconds that the endpoint takes for `count` datagrams, a batch at a time, each followed by a drain. */
function flood({ endpoint, now }: Besieged, make: () => Uint8Array, count: number): number {
  const before = endpoint.pollOutput();
  let spent = 0;
  for (let done = 0; done < count; done += BATCH) {
    const inputs = Array.from({ length: BATCH }, (): ReceiveInput => {
      const [a, b, c, high = 0, low = 0] = bytes(5);
      const source = { address: `203.${a}.${b}.${c}`, port: (1024 + ((high << 8) | low) * 0.98) | 0 };
      return { type: 'receive', now, protocol: 'udp', source, destination: SERVER, data: make() };
    });
    const startedAt = performance.now();
    endpoint.handleInputs(inputs);
    const output = endpoint.pollOutput();
    spent += performance.now() - startedAt;
    expect(output).toEqual(before);
  }
  return spent;
}

test('a hundred thousand datagrams that nothing vouches for: no answer, and everything as it was', () => {
  const target = besieged();
  const { endpoint } = target;
  const kindsOf = Object.entries(kinds(target));
  for (const [, { make }] of kindsOf) flood(target, make, 1000);
  const before = { state: state(endpoint), heap: heap() };
  expect(endpoint.connections().at(-1)?.iceGatheringState).toBe('gathering');
  const { counters } = endpoint.inspect();
  for (const [name, { make, dropped }] of kindsOf) {
    const spent = flood(target, make, COUNT);
    console.log(`${name.padEnd(44)} ${((1000 * spent) / COUNT).toFixed(2).padStart(7)} µs each`);
    const now = endpoint.inspect().counters;
    if (dropped !== undefined) expect(now[dropped] - counters[dropped], name).toBeGreaterThanOrEqual(COUNT);
  }
  expect(state(endpoint)).toBe(before.state);
  const growth = heap() - before.heap;
  console.log(`heap and buffers after ${kindsOf.length * COUNT}: ${(growth / 1024).toFixed(0)} KiB more`);
  expect(growth).toBeLessThan(FLAT);
  const rtcs = endpoint.connections().map((rtc) => rtc.connectionState);
  expect(rtcs.filter((one) => one === 'connected')).toHaveLength(EACH);
});
