/**
 * Whoever is not the peer gets nowhere, in both versions and against both roles: nothing here connects, closes or resets
 * anything. And the rows of the checklist that are about what a peer may and may not put into records.
 */
import { describe, expect, it } from 'vitest';
import { concatBytes, copyBytes } from '../../src/core/bytes.ts';
import { isFailure } from '../../src/core/decode.ts';
import type { SigningKey } from '../../src/crypto/index.ts';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import type { DtlsOptions, DtlsRole, DtlsVersion } from '../../src/dtls/index.ts';
import { ExtensionType, findExtension } from '../../src/dtls/messages/extensions.ts';
import { HandshakeType } from '../../src/dtls/messages/handshake.ts';
import { decodeClientHello, decodeServerHello, encodeClientHello } from '../../src/dtls/messages/hello.ts';
import { ContentType } from '../../src/dtls/record/record.ts';
import {
  ROLES,
  VERSIONS,
  fragmentOf,
  merged,
  other,
  plaintextRecord,
  recordsIn,
  refragmented,
  stolen,
  withWrongFinished,
} from './hostile.ts';
import { betrayed } from './insider.ts';
import { Conversation, machineOf } from './machines.ts';
import type { PairOptions, Sent, Wire } from './pair.ts';
import { PERFECT, Pair, certificates, connectedPair, dropping, sealed, textOf } from './pair.ts';

const crypto = nodeCrypto();

function pairOptions(
  version: DtlsVersion,
  sides: Partial<Record<DtlsRole, Partial<DtlsOptions>>> = {},
): PairOptions {
  const common = { crypto, versions: { min: version, max: version } };
  return { client: { ...common, ...sides.client }, server: { ...common, ...sides.server } };
}

/** The victim has never been connected, gives nothing away, and is over. */
function expectRefused(pair: Pair, victim: DtlsRole, code: string): void {
  const engine = pair.engine(victim);
  expect(pair.codes(victim)).toEqual([`closed ${code}`]);
  expect(pair.events[victim].some(({ type }) => type === 'connected')).toBe(false);
  expect(engine.state).toBe('failed');
  expect([sealed(engine, 'secret'), engine.exportKeyingMaterial('x', 16)]).toEqual([undefined, undefined]);
  expect([engine.nextTimeout(), engine.pollTransmit(), engine.pollData()]).toEqual([
    Infinity,
    undefined,
    undefined,
  ]);
  expect(pair.received[victim]).toEqual([]);
}

describe.each(VERSIONS)('DTLS %s', (version) => {
  describe.each(ROLES)('against the %s', (victim) => {
    const attacker = other(victim);

    /** Runs it, and lets the attacker send data as soon as it believes to be connected. */
    function attack(sides: Partial<Record<DtlsRole, Partial<DtlsOptions>>>): Pair {
      const pair = new Pair(pairOptions(version, sides)).start();
      let isDataSent = false;
      for (let steps = 0; steps < 200 && pair.engine(victim).state === 'connecting'; steps++) {
        if (!pair.step(20_000)) break;
        if (isDataSent || pair.engine(attacker).state !== 'connected') continue;
        pair.sendText(attacker, 'attack');
        isDataSent = true;
      }
      pair.runTo(pair.now + 1000);
      return pair;
    }

    it('SEC-01 SEC-02 a certificate without possession of its key does not connect', () => {
      const pair = attack({ [attacker]: { certificate: stolen(attacker) } });
      expectRefused(pair, victim, 'signature-invalid');
      expect(pair.codes(attacker)).toEqual(['closed alert-received']);
    });

    it('SEC-01 SEC-02 a wrong signature does not connect', () => {
      const certificate = certificates[attacker];
      const sign = (message: Uint8Array): Uint8Array =>
        certificate.signingKey.sign(concatBytes(message, Uint8Array.of(0)));
      const signingKey = Object.create(certificate.signingKey, { sign: { value: sign } }) as SigningKey;
      const pair = attack({ [attacker]: { certificate: { ...certificate, signingKey } } });
      expectRefused(pair, victim, 'signature-invalid');
    });

    it('SEC-03 a wrong Finished does not connect', () => {
      const pair = attack({ [attacker]: { crypto: withWrongFinished(attacker, version) } });
      expectRefused(pair, victim, 'finished-mismatch');
      expect(pair.engine(attacker).state).toBe('failed');
    });

    it('T111 SEC-22 a wrong fingerprint does not connect, whoever owns the certificate', () => {
      const pair = attack({ [victim]: { remoteFingerprints: [certificates[victim].fingerprint] } });
      expectRefused(pair, victim, 'fingerprint-mismatch');
      expect(pair.codes(attacker)).toEqual(['closed alert-received']);
      expect(pair.events[attacker].at(-1)).toMatchObject({
        failure: { message: expect.stringContaining('bad_certificate') },
      });
    });

    it("T003 a victim's own certificate shown to it does not connect without its key", () => {
      const mirror = { ...certificates[victim], signingKey: certificates[attacker].signingKey };
      const pair = attack({
        [attacker]: { certificate: mirror },
        [victim]: { remoteFingerprints: [certificates[victim].fingerprint] },
      });
      expectRefused(pair, victim, 'signature-invalid');
    });

    it('T094 SEC-04 every datagram of the session once more changes nothing', () => {
      const pair = connectedPair(pairOptions(version));
      pair.sendText('client', 'a');
      pair.sendText('server', 'b');
      pair.runTo(pair.now + 1000);
      const history = [...pair.sent];
      for (let round = 0; round < 3; round++) {
        for (const { data } of history) pair.engine(victim).handlePacket(data, pair.now);
      }
      pair.drain();
      pair.runTo(pair.now + 5000);
      expect([pair.connected, pair.codes('client'), pair.codes('server')]).toEqual([true, [], []]);
      expect([pair.received.server.map(textOf), pair.received.client.map(textOf)]).toEqual([['a'], ['b']]);
      expect(pair.engine(victim).inspect().counters.recordsReplayed).toBeGreaterThan(0);
    });

    it('T091 T095 every byte of the session changed, once connected: nothing ends, nothing comes out', () => {
      const pair = connectedPair(pairOptions(version));
      pair.sendText(attacker, 'a');
      pair.runTo(pair.now + 1000);
      const engine = pair.engine(victim);
      const before = pair.sent.length;
      for (const { data } of pair.sent.filter(({ from }) => from === attacker)) {
        for (let at = 0; at < data.length; at++) {
          const forged = copyBytes(data);
          forged[at]! ^= 1 + (at % 255);
          engine.handlePacket(forged, pair.now);
        }
      }
      expect([engine.state, engine.pollEvent(), engine.pollData()]).toEqual([
        'connected',
        undefined,
        undefined,
      ]);
      pair.drain();
      // At most the last flight has been asked for again, never more than one for each record that was authentic.
      expect(pair.sent.length - before).toBeLessThan(5);
      pair.sendText(attacker, 'b');
      pair.runTo(pair.now + 1000);
      expect(pair.received[victim].map(textOf)).toEqual(['a', 'b']);
    });

    it('SEC-11 T102 every plaintext alert there is, once connected: nothing ends, nothing is answered', () => {
      const pair = connectedPair(pairOptions(version));
      pair.runTo(pair.now + 1000);
      const engine = pair.engine(victim);
      const before = engine.inspect().counters.alertsIgnored;
      for (let description = 0; description < 256; description++) {
        for (const level of [1, 2]) {
          engine.handlePacket(
            plaintextRecord(ContentType.alert, Uint8Array.of(level, description)),
            pair.now,
          );
        }
      }
      expect(engine.inspect().counters.alertsIgnored).toBe(before + 512);
      expect([engine.state, engine.pollEvent(), engine.pollTransmit()]).toEqual([
        'connected',
        undefined,
        undefined,
      ]);
      pair.sendText('client', 'still');
      pair.sendText('server', 'here');
      pair.runTo(pair.now + 1000);
      expect([pair.received.server.map(textOf), pair.received.client.map(textOf)]).toEqual([
        ['still'],
        ['here'],
      ]);
    });

    it('SEC-11 T123 ClientHellos and every other plaintext message, once connected: none starts anything', () => {
      const pair = connectedPair(pairOptions(version));
      pair.runTo(pair.now + 1000);
      const engine = pair.engine(victim);
      const { handshake, counters } = engine.inspect();
      const hello =
        machineOf('client', { seed: 77, versions: { max: version } }).said[0]?.body ?? new Uint8Array();
      let count = 0;
      for (const type of Object.values(HandshakeType)) {
        for (let seq = 0; seq < 12; seq++) {
          engine.handlePacket(
            plaintextRecord(ContentType.handshake, fragmentOf(type, seq, hello), seq),
            pair.now,
          );
          count++;
        }
      }
      for (const type of [ContentType.changeCipherSpec, ContentType.applicationData, ContentType.ack]) {
        engine.handlePacket(plaintextRecord(type, Uint8Array.of(1)), pair.now);
      }
      expect([engine.state, engine.pollEvent(), engine.pollTransmit(), engine.pollData()]).toEqual([
        'connected',
        undefined,
        undefined,
        undefined,
      ]);
      const after = engine.inspect();
      expect(after.handshake).toEqual(handshake);
      expect(after.counters.plaintextIgnored + after.counters.hellosIgnored).toBe(
        counters.plaintextIgnored + counters.hellosIgnored + count + 1,
      );
      pair.sendText('client', 'still');
      pair.sendText('server', 'here');
      pair.runTo(pair.now + 1000);
      expect([pair.received.server.map(textOf), pair.received.client.map(textOf)]).toEqual([
        ['still'],
        ['here'],
      ]);
    });
  });

  it('T010 the version is not known before the server has chosen, and is right after', () => {
    const pair = new Pair(pairOptions(version));
    expect([pair.client.version, pair.client.inspect().tlsVersion]).toEqual([undefined, null]);
    pair.start();
    expect([pair.client.version, pair.server.version]).toEqual([undefined, undefined]);
    pair.run();
    expect([pair.client.version, pair.server.version]).toEqual([version, version]);
    expect(pair.client.inspect().tlsVersion).toBe(version === '1.2' ? 'FEFD' : 'FEFC');
  });

  it.each([1, 7, 40])(
    'T013 T032 T039 hellos and all other plaintext in fragments of %i bytes, a datagram each',
    (size) => {
      const wire: Wire = ({ data }) => refragmented(data, size).map((piece) => ({ data: piece, after: 10 }));
      // secp384r1 alone at the server: DTLS 1.3 has a HelloRetryRequest, which is cut up too.
      const pair = new Pair({ ...pairOptions(version, { server: { groups: ['secp384r1'] } }), wire })
        .start()
        .run();
      expect([pair.connected, pair.codes('client'), pair.codes('server')]).toEqual([true, [], []]);
      expect(pair.client.inspect().handshake.group).toBe('secp384r1');
    },
  );

  it('T013 many records in one datagram: fragments of all sizes side by side', () => {
    const wire: Wire = ({ data }) => [{ data: concatBytes(...refragmented(data, 23)), after: 10 }];
    expect(new Pair({ ...pairOptions(version), wire }).start().run().connected).toBe(true);
  });

  it('T040 a whole message among fragments of itself, before, between and behind', () => {
    const wire: Wire = ({ data }) => {
      const pieces = refragmented(data, 50);
      const [first, ...rest] = pieces;
      return [first ?? data, data, ...rest, data].map((piece) => ({ data: piece, after: 10 }));
    };
    const pair = new Pair({ ...pairOptions(version), wire }).start().run();
    expect([pair.connected, pair.codes('client'), pair.codes('server')]).toEqual([true, [], []]);
  });

  it('T035 SEC-08 fragments of one type and different message_seq in one record are kept apart', () => {
    const pair = new Pair(pairOptions(version)).start();
    const body = new Uint8Array(200).fill(0xab);
    const both = (offset: number): Uint8Array =>
      concatBytes(
        fragmentOf(HandshakeType.certificate, 1, body, offset, 100),
        fragmentOf(HandshakeType.certificate, 4, body, 100 - offset, 100),
      );
    for (const offset of [0, 50]) {
      pair.client.handlePacket(plaintextRecord(ContentType.handshake, both(offset)), 0);
    }
    // Neither has been completed by pieces of the other, and the genuine messages find their places.
    expect(pair.client.inspect().handshake.reassembly).toEqual({ messages: 2, bytes: 400 });
    pair.run();
    expect([pair.connected, pair.codes('client')]).toEqual([true, []]);
  });
});

it('T013 two and more messages in one record', () => {
  // DTLS 1.2: the server's whole first flight in a single record.
  const wire: Wire = (sent) => (sent.index === 1 ? [{ data: merged(sent.data), after: 10 }] : PERFECT(sent));
  const pair = new Pair({ ...pairOptions('1.2'), wire }).start();
  expect(recordsIn(merged(pair.sent[0]?.data ?? new Uint8Array()))).toHaveLength(1);
  expect(pair.run().connected).toBe(true);
  expect(pair.sent).toHaveLength(4);
});

describe('T021 ALPN', () => {
  const ALPN = 16;

  function offering(protocols: readonly string[]): Uint8Array {
    const names = protocols.flatMap((name) => [name.length, ...Array.from(name, (c) => c.charCodeAt(0))]);
    return Uint8Array.of(names.length >> 8, names.length & 255, ...names);
  }

  it('is not offered by us', () => {
    const hello = decodeClientHello(machineOf('client').said[0]?.body ?? new Uint8Array());
    if (isFailure(hello)) throw new Error(hello.reason);
    expect(findExtension(hello.extensions, ALPN)).toBeUndefined();
  });

  it.each([
    ['as Firefox offers it', ['webrtc', 'c-webrtc']],
    ['of protocols unknown', ['spdy/1', 'h2']],
  ])('%s is passed over, and not answered', (_, protocols) => {
    const conversation = new Conversation();
    const step = conversation.next('server', (message) => {
      const hello = decodeClientHello(message.body);
      if (isFailure(hello)) throw new Error(hello.reason);
      const extensions = [...hello.extensions, { type: ALPN, data: offering(protocols) }];
      return { ...message, body: encodeClientHello({ ...hello, extensions }) };
    });
    expect(step?.problem).toBeUndefined();
    const answer = decodeServerHello(conversation.server.said[0]?.body ?? new Uint8Array());
    if (isFailure(answer)) throw new Error(answer.reason);
    expect(findExtension(answer.extensions, ALPN)).toBeUndefined();
    expect(findExtension(answer.extensions, ExtensionType.extendedMasterSecret)).toBeDefined();
  });
});

describe('DTLS 1.3', () => {
  it('T073 no ACK names a record whose content was dropped', () => {
    // The client keeps one message ahead. The start of the server's flight is lost, so most of the rest is dropped; were
    // it acknowledged, it would never come again.
    const options = pairOptions('1.3', {
      client: { limits: { messagesAhead: 1 }, mtu: 300 },
      server: { mtu: 300 },
    });
    for (const lost of [1, 2, 3]) {
      const pair = new Pair({ ...options, wire: dropping(lost) }).start().run();
      expect([lost, pair.connected, pair.codes('client'), pair.codes('server')]).toEqual([
        lost,
        true,
        [],
        [],
      ]);
    }
    const pair = new Pair({ ...options, wire: dropping(2) }).start().run();
    expect(pair.client.inspect().counters.fragmentsTooFarAhead).toBeGreaterThan(0);
  });

  it('T073 no ACK is sent for what is forged', () => {
    const pair = connectedPair(pairOptions('1.3')).runTo(1000);
    const before = pair.sent.length;
    const flights: Sent[] = pair.sent.filter(({ from }) => from === 'client');
    for (const { data } of flights) {
      const forged = copyBytes(data);
      forged[forged.length - 1]! ^= 1;
      pair.server.handlePacket(forged, pair.now);
    }
    pair.drain();
    expect(pair.sent).toHaveLength(before);
  });

  describe.each(ROLES)('T103 the %s', (victim) => {
    it('passes over user_canceled, whatever its level', () => {
      const { pair, insider } = betrayed(victim);
      for (const level of [1, 2]) {
        pair.engine(victim).handlePacket(insider.record(Uint8Array.of(level, 90, 21), 500 + level), pair.now);
      }
      expect(pair.engine(victim).inspect()).toMatchObject({
        state: 'connected',
        counters: { alertsIgnored: 2 },
      });
    });

    it.each([
      ['an unknown description', 222],
      ['no_renegotiation', 100],
    ])('takes %s for the end, though its level says warning (RFC 8446 §6)', (_, description) => {
      const { pair, insider } = betrayed(victim);
      pair.engine(victim).handlePacket(insider.record(Uint8Array.of(1, description, 21), 500), pair.now);
      pair.drain();
      expect(pair.codes(victim)).toEqual(['closed alert-received']);
    });
  });

  describe.each(ROLES)('T081 the %s', (victim) => {
    it.each([0, 1, 500, 16_000])('strips %i bytes of padding', (padding) => {
      const { pair, insider } = betrayed(victim);
      pair.engine(victim).handlePacket(insider.text('padded', 500, padding), pair.now);
      expect(textOf(pair.engine(victim).pollData() ?? new Uint8Array())).toBe('padded');
    });

    it.each([
      ['nothing but padding', new Uint8Array(20)],
      ['one zero', new Uint8Array(1)],
      ['a type that nobody knows', Uint8Array.of(1, 2, 3, 24)],
    ])('ends with unexpected_message for %s', (_, inner) => {
      const { pair, insider } = betrayed(victim);
      pair.engine(victim).handlePacket(insider.record(inner, 500), pair.now);
      pair.drain();
      expect(pair.codes(victim)).toEqual(['closed unexpected-message']);
      pair.runTo(pair.now + 1000);
      expect(pair.events[other(victim)].at(-1)).toMatchObject({
        failure: { code: 'alert-received', message: expect.stringContaining('unexpected_message') },
      });
    });
  });
});
