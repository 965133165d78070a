import { describe, expect, it } from 'vitest';
import { Reader } from '../../src/core/bytes.ts';
import { isFailure } from '../../src/core/decode.ts';
import { fromHex } from '../../src/core/text.ts';
import { dtlsCounters } from '../../src/dtls/counting.ts';
import { initialEpochs } from '../../src/dtls/record/epochs.ts';
import { RecordReader } from '../../src/dtls/record/reader.ts';
import { Dtls, fingerprintOf } from '../../src/dtls/index.ts';
import { decodeCertificate } from '../../src/dtls/messages/certificates.ts';
import { findExtension, ExtensionType, decodeU16Vector } from '../../src/dtls/messages/extensions.ts';
import type { HandshakeMessage } from '../../src/dtls/messages/handshake.ts';
import { HandshakeType, decodeFragment } from '../../src/dtls/messages/handshake.ts';
import { decodeClientHello } from '../../src/dtls/messages/hello.ts';
import { decodeServerKeyExchange } from '../../src/dtls/messages/key-exchange.ts';
import { DEFAULT_LIMITS } from '../../src/dtls/options.ts';
import { Reassembly } from '../../src/dtls/reassembly.ts';
import flights from '../fixtures/dtls-flights.json' with { type: 'json' };
import { crypto, engineOptions } from './pair.ts';

function datagrams(hex: readonly string[]): Uint8Array[] {
  return hex.map((text) => fromHex(text) ?? new Uint8Array());
}

/** The handshake messages of recorded plaintext datagrams. */
function messagesOf(recorded: readonly Uint8Array[]): HandshakeMessage[] {
  const records = new RecordReader(initialEpochs(), DEFAULT_LIMITS, dtlsCounters());
  const incoming = new Reassembly(DEFAULT_LIMITS);
  const messages: HandshakeMessage[] = [];
  for (const datagram of recorded) {
    records.load(datagram);
    while (records.next()) {
      const reader = new Reader(records.body);
      while (reader.remaining > 0) {
        const fragment = decodeFragment(reader);
        if (isFailure(fragment)) throw new Error(fragment.reason);
        incoming.accept(fragment);
      }
    }
    for (let message = incoming.take(); message !== undefined; message = incoming.take())
      messages.push(message);
  }
  return messages;
}

describe.each([
  ['Chromium', flights.chromiumClientHello, [0x11ec, 0x001d, 0x0017, 0x0018]],
  ['Firefox', flights.firefoxClientHello, [0x11ec, 0x001d, 0x0017, 0x0018, 0x0100, 0x0101]],
] as const)("%s's recorded ClientHello", (_, hex, groups) => {
  it('T038 spans two datagrams and offers DTLS 1.3 and a post-quantum group', () => {
    const [message] = messagesOf(datagrams(hex));
    const hello = decodeClientHello(message?.body ?? new Uint8Array());
    if (isFailure(hello)) throw new Error(hello.reason);
    expect(hex).toHaveLength(2);
    expect(hello.cipherSuites).toContain(0xc02b);
    const offered = findExtension(hello.extensions, ExtensionType.supportedGroups);
    expect(decodeU16Vector(offered ?? new Uint8Array())).toEqual(groups);
    expect(findExtension(hello.extensions, ExtensionType.supportedVersions)).toBeDefined();
  });

  it.each([
    ['in order', [0, 1]],
    ['reversed', [1, 0]],
    ['with repetitions', [0, 0, 1]],
  ])('T038 F1c is answered with the flight of DTLS 1.2, %s', (__, order) => {
    const server = new Dtls(engineOptions('server'));
    server.start(0);
    const recorded = datagrams(hex);
    for (const index of order) server.handlePacket(recorded[index] ?? new Uint8Array(), 5);
    const flight = server.pollTransmit();
    const types = messagesOf(flight === undefined ? [] : [flight]).map(({ type }) => type);
    expect(types).toEqual([
      HandshakeType.serverHello,
      HandshakeType.certificate,
      HandshakeType.serverKeyExchange,
      HandshakeType.certificateRequest,
      HandshakeType.serverHelloDone,
    ]);
    expect(server.inspect().handshake).toMatchObject({ state: 'await-certificate', group: 'x25519' });
  });

  it('F1f names the missing part when only one of the two arrives', () => {
    const server = new Dtls({ ...engineOptions('server'), handshakeTimeout: 5000 });
    server.start(0);
    server.handlePacket(datagrams(hex)[0] ?? new Uint8Array(), 5);
    server.handleTimeout(5000);
    expect(server.pollEvent()).toMatchObject({
      type: 'closed',
      failure: {
        code: 'handshake-timeout',
        message: expect.stringMatching(/\d+ of 14\d\d bytes of ClientHello/),
      },
    });
  });
});

describe.each([
  ['Chromium', flights.chromiumServerFlight],
  ['Firefox', flights.firefoxServerFlight],
] as const)("%s's recorded server flight", (browser, hex) => {
  it('decodes, and its certificate holds a key and a fingerprint', () => {
    const messages = messagesOf(datagrams(hex));
    expect(messages.map(({ type }) => type)).toEqual([2, 11, 12, 13, 14]);
    const chain = decodeCertificate(messages[1]?.body ?? new Uint8Array());
    if (isFailure(chain)) throw new Error(chain.reason);
    expect(fingerprintOf(chain[0] ?? new Uint8Array(), 'sha-256', crypto).value).toHaveLength(95);
    const exchange = decodeServerKeyExchange(messages[2]?.body ?? new Uint8Array());
    expect(exchange).toMatchObject({ groupCode: 0x001d, signed: { scheme: 0x0403 } });
  });

  it('T016 is refused by a client that has not offered use_srtp, which it answers', () => {
    const client = new Dtls({ ...engineOptions('client'), srtpProfiles: [] });
    client.start(0);
    for (const datagram of datagrams(hex)) client.handlePacket(datagram, 5);
    expect(client.pollEvent()).toMatchObject({ type: 'closed', failure: { code: 'extension-unsolicited' } });
  });

  it("its choice of an SRTP profile is read, and its certificate refused as another's", () => {
    const client = new Dtls({
      ...engineOptions('client'),
      srtpProfiles: ['SRTP_AEAD_AES_128_GCM', 'SRTP_AES128_CM_HMAC_SHA1_80'],
    });
    client.start(0);
    for (const datagram of datagrams(hex)) client.handlePacket(datagram, 5);
    expect(client.inspect().srtpCipher).toBe(
      browser === 'Firefox' ? 'SRTP_AEAD_AES_128_GCM' : 'SRTP_AES128_CM_HMAC_SHA1_80',
    );
    expect(client.pollEvent()).toMatchObject({ type: 'closed', failure: { code: 'fingerprint-mismatch' } });
  });
});
