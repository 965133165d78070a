import { describe, expect, it } from 'vitest';
import { Reader } from '../../src/core/bytes.ts';
import { isFailure } from '../../src/core/decode.ts';
import { PlaintextWriteEpoch } from '../../src/dtls/record/write-epoch.ts';
import { Flight } from '../../src/dtls/flight.ts';
import type { RecordNumber } from '../../src/dtls/record/ack.ts';
import type { Fragment } from '../../src/dtls/messages/handshake.ts';
import { HandshakeType, decodeFragment } from '../../src/dtls/messages/handshake.ts';
import { ContentType, RECORD_HEADER_LENGTH, recordFragmentLength } from '../../src/dtls/record/record.ts';

const MTU = 256;

function flightOf(...lengths: readonly number[]): Flight {
  const flight = new Flight();
  const epoch = new PlaintextWriteEpoch();
  flight.begin(4, undefined);
  for (const length of lengths) flight.add(HandshakeType.certificate, new Uint8Array(length), epoch);
  return flight;
}

function datagramsOf(flight: Flight, mtu = MTU): Uint8Array[] {
  const datagrams: Uint8Array[] = [];
  for (let data = flight.poll(mtu); data !== undefined; data = flight.poll(mtu)) datagrams.push(data);
  return datagrams;
}

/** The fragments in a datagram of plaintext handshake records. */
function fragmentsOf(datagram: Uint8Array): Fragment[] {
  const fragments: Fragment[] = [];
  for (let at = 0; at < datagram.length;) {
    const end = at + RECORD_HEADER_LENGTH + recordFragmentLength(datagram, at);
    if (datagram[at] === ContentType.handshake) {
      const reader = new Reader(datagram, at + RECORD_HEADER_LENGTH, end);
      while (reader.remaining > 0) {
        const fragment = decodeFragment(reader);
        if (isFailure(fragment)) throw new Error(fragment.reason);
        fragments.push(fragment);
      }
    }
    at = end;
  }
  return fragments;
}

describe('flight', () => {
  it('packs small messages into one record', () => {
    const [datagram = new Uint8Array(), ...more] = datagramsOf(flightOf(50, 0, 60));
    expect(more).toEqual([]);
    expect(datagram).toHaveLength(RECORD_HEADER_LENGTH + recordFragmentLength(datagram, 0));
    expect(fragmentsOf(datagram).map(({ messageSeq, length }) => [messageSeq, length])).toEqual([
      [0, 50],
      [1, 0],
      [2, 60],
    ]);
  });

  it('T030 cuts a large message to the MTU and leaves nothing out', () => {
    const datagrams = datagramsOf(flightOf(1000));
    const fragments = datagrams.flatMap(fragmentsOf);
    expect(Math.max(...datagrams.map(({ length }) => length))).toBe(MTU);
    let next = 0;
    for (const { offset, body, length } of fragments) {
      expect([offset, length]).toEqual([next, 1000]);
      next += body.length;
    }
    expect(next).toBe(1000);
  });

  it('does not put a tiny piece at the end of a datagram', () => {
    // Behind the first message 256 − 25 − 195 = 36 bytes are left: 24 for the next one, after its header.
    const [first, second] = datagramsOf(flightOf(195, 100));
    expect(fragmentsOf(first ?? new Uint8Array())).toHaveLength(1);
    expect(fragmentsOf(second ?? new Uint8Array())).toMatchObject([{ messageSeq: 1, offset: 0 }]);
  });

  it('starts over when repeated, and may then be cut otherwise', () => {
    const flight = flightOf(600);
    expect(datagramsOf(flight)).toHaveLength(3);
    flight.repeat();
    expect(datagramsOf(flight, 1200)).toHaveLength(1);
    expect(flight.transmissions).toBe(2);
  });
});

describe('acknowledgements (RFC 9147 §7.2)', () => {
  /** Plaintext records are numbered from 0. */
  const record = (sequence: number): RecordNumber => ({ epoch: 0, sequence });

  it('a record that is named again tells nothing new', () => {
    const flight = flightOf(600);
    expect(datagramsOf(flight)).toHaveLength(3);
    expect(flight.acknowledge(record(1))).toBe('progress');
    expect(flight.acknowledge(record(1))).toBe('nothing');
    expect(flight.acknowledge(record(3))).toBe('nothing');
    expect(flight.acknowledge({ epoch: 2, sequence: 0 })).toBe('nothing');
  });

  it('what is named goes out no more, byte for byte, and the last one completes the flight', () => {
    const flight = flightOf(600);
    const whole = datagramsOf(flight).flatMap(fragmentsOf);
    const [first, second, third] = whole.map(({ offset, body }) => [offset, body.length]);
    flight.acknowledge(record(1));
    flight.repeat();
    const repeated = datagramsOf(flight).flatMap(fragmentsOf);
    expect(repeated.map(({ offset, body }) => [offset, body.length])).toEqual([first, third]);
    expect(second).toBeDefined();
    expect(flight.acknowledge(record(0))).toBe('progress');
    expect(flight.acknowledge(record(4))).toBe('complete');
    flight.repeat();
    expect(datagramsOf(flight)).toEqual([]);
  });
});
