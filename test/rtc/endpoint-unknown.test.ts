/** What an endpoint does with datagrams that are for somebody else: tell, within a rate, and name their shard. */
import { describe, expect, test } from 'vitest';
import type { ReceiveInput, UnknownDatagram } from '../../src/index.ts';
import { Endpoint, MAX_SHARDS, Rtc, SeededRandom, shardOf, shardUsernameFragment } from '../../src/index.ts';
import { certificates } from './pair.ts';

const SERVER = { address: '198.51.100.1', port: 3478 };
const STRANGER = { address: '203.0.113.5', port: 5 };
const DTLS = Uint8Array.of(22, 254, 253, 0);

function receive(data: Uint8Array, now: number): ReceiveInput {
  return { type: 'receive', now, protocol: 'udp', source: STRANGER, destination: SERVER, data };
}

/** The first check that a peer sends to the connection with this username fragment. */
function checkFor(usernameFragment: string): Uint8Array {
  const peer = new Rtc({ certificate: certificates[0], random: new SeededRandom(1) });
  peer.addLocalCandidate({ type: 'host', protocol: 'udp', ...STRANGER });
  const offer = peer.negotiation().offer();
  const server = new Rtc({
    certificate: certificates[1],
    random: new SeededRandom(2),
    ice: { usernameFragment },
  });
  server.addLocalCandidate({ type: 'host', protocol: 'udp', ...SERVER });
  offer.accept(server.receiveOffer(offer.sdp).answer());
  peer.handleInput({ type: 'timeout', now: 0 });
  for (;;) {
    const output = peer.pollOutput();
    if (output.type === 'transmit') return output.data;
    if (output.type === 'timeout') peer.handleInput({ type: 'timeout', now: output.at });
  }
}

describe('unknown datagrams', () => {
  test('are told with where they came from, a check with the username fragment it is for', () => {
    const told: UnknownDatagram[] = [];
    const endpoint = new Endpoint({ onUnknown: (datagram) => told.push(datagram) });
    const check = checkFor('elsewhere');
    endpoint.handleInput(receive(DTLS, 1));
    endpoint.handleInput(receive(check, 2));
    expect(told).toEqual([
      { source: STRANGER, destination: SERVER, data: DTLS, usernameFragment: undefined },
      { source: STRANGER, destination: SERVER, data: check, usernameFragment: 'elsewhere' },
    ]);
  });

  test('in a flood: so many a second are told, all are counted', () => {
    let told = 0;
    const endpoint = new Endpoint({ onUnknown: () => told++, maxUnknownPerSecond: 10 });
    for (let i = 0; i < 1000; i++) endpoint.handleInput(receive(DTLS, 5000 + i * 0.5));
    expect(told).toBe(10);
    endpoint.handleInput(receive(DTLS, 6000));
    expect(told).toBe(11);
    expect(endpoint.inspect().counters).toMatchObject({
      droppedUnknownAddress: 1001,
      unknownNotReported: 990,
    });
  });
});

describe('F4b: a batch', () => {
  test('is taken in whole, and what is due runs after it', () => {
    const endpoint = new Endpoint();
    endpoint.handleInputs([receive(DTLS, 1), receive(DTLS, 2), receive(DTLS, 3)]);
    expect(endpoint.inspect().counters).toMatchObject({ datagramsReceived: 3, droppedUnknownAddress: 3 });
    expect(endpoint.pollOutput()).toEqual({ type: 'timeout', at: Infinity, reason: 'idle' });
  });
});

describe('shards', () => {
  test.each([0, 1, 63, 64, MAX_SHARDS - 1])('%i is read back from a check, wherever it arrives', (shard) => {
    const usernameFragment = shardUsernameFragment(shard, new SeededRandom(shard));
    expect(usernameFragment).toMatch(/^[A-Za-z0-9+/]{10}$/);
    expect(shardOf(checkFor(usernameFragment))).toBe(shard);
  });

  test('two fragments of one shard differ', () => {
    const random = new SeededRandom(1);
    expect(shardUsernameFragment(7, random)).not.toBe(shardUsernameFragment(7, random));
  });

  test('a datagram that is no check names none', () => {
    expect(shardOf(DTLS)).toBeUndefined();
    expect(shardOf(new Uint8Array(0))).toBeUndefined();
  });

  test.each([-1, MAX_SHARDS, 1.5, NaN])('%d is ERR_BAD_ARGUMENT', (shard) => {
    expect(() => shardUsernameFragment(shard)).toThrow(expect.objectContaining({ code: 'ERR_BAD_ARGUMENT' }));
  });
});
