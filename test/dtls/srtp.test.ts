/** T002 T012: use_srtp (RFC 5764) in both versions, and what becomes of exported keying material. */
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../src/core/bytes.ts';
import { fromHex, toHex } from '../../src/core/text.ts';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import type { DtlsOptions, DtlsVersion, SrtpProfile } from '../../src/dtls/index.ts';
import { Dtls } from '../../src/dtls/index.ts';
import { decodeUseSrtp, encodeUseSrtp } from '../../src/dtls/messages/use-srtp.ts';
import { splitSrtpKeys, srtpKeyingMaterialLength } from '../../src/dtls/srtp.ts';
import vectors from '../vectors/tls12-prf.json' with { type: 'json' };
import { VERSIONS } from './hostile.ts';
import type { HandshakeMessage } from '../../src/dtls/messages/handshake.ts';
import { HandshakeType } from '../../src/dtls/messages/handshake.ts';
import type { MachineOptions } from './machines.ts';
import { Conversation } from './machines.ts';
import { Pair, connectedPair, engineOptions } from './pair.ts';

const crypto = nodeCrypto();

const PROFILES: readonly (readonly [SrtpProfile, number, number, number])[] = [
  ['SRTP_AES128_CM_HMAC_SHA1_80', 1, 16, 14],
  ['SRTP_AES128_CM_HMAC_SHA1_32', 2, 16, 14],
  ['SRTP_AEAD_AES_128_GCM', 7, 16, 12],
  ['SRTP_AEAD_AES_256_GCM', 8, 32, 12],
];
const ALL = PROFILES.map(([name]) => name);

function side(version: DtlsVersion, srtpProfiles?: readonly SrtpProfile[]): Partial<DtlsOptions> {
  return { crypto, versions: { min: version, max: version }, srtpProfiles };
}

describe('the extension', () => {
  it('survives a round trip; what is malformed is refused', () => {
    expect(decodeUseSrtp(encodeUseSrtp([7, 1]))).toEqual({
      profiles: [7, 1],
      masterKeyIdentifier: new Uint8Array(),
    });
    expect(decodeUseSrtp(Uint8Array.of(0, 2, 0, 1, 2, 9, 9))).toMatchObject({ profiles: [1] });
    for (const bad of [
      [],
      [0],
      [0, 0, 0],
      [0, 1, 0, 0],
      [0, 2, 0, 1],
      [0, 2, 0, 1, 1],
      [0, 4, 0, 1, 0],
      [0, 2, 0, 1, 0, 0],
    ]) {
      expect(decodeUseSrtp(Uint8Array.from(bad))).toMatchObject({ reason: 'use-srtp-malformed' });
    }
  });
});

describe('RFC 5764 §4.2 cutting keying material', () => {
  it.each(PROFILES)('%s (%i): keys of %i bytes and salts of %i', (profile, _, key, salt) => {
    const length = srtpKeyingMaterialLength(profile);
    expect(length).toBe(2 * (key + salt));
    const material = Uint8Array.from({ length }, (__, i) => i);
    const keys = splitSrtpKeys(profile, material);
    const { client, server } = keys;
    expect([client.key.length, client.salt.length]).toEqual([key, salt]);
    expect(concatBytes(client.key, server.key, client.salt, server.salt)).toEqual(material);
    // Copies: wiping the material leaves the keys alone.
    material.fill(0);
    expect(client.salt[0]).toBe(2 * key);
  });

  const rows = vectors.derived.flatMap(({ id, exporter_dtls_srtp }) =>
    Object.entries(exporter_dtls_srtp).map(([name, hex]) => [id, name, hex] as const),
  );

  it.each(rows)('%s, %s: as the layout of the vector says', (_, name, hex) => {
    const profile = ALL.find((known) => name.startsWith(known));
    if (profile === undefined) throw new Error(`unknown profile in ${name}`);
    const lengths = Array.from(name.matchAll(/[cs][ks](\d+)/g), ([, length]) => Number(length));
    const { client, server } = splitSrtpKeys(profile, fromHex(hex) ?? new Uint8Array());
    const parts = [client.key, server.key, client.salt, server.salt];
    expect(parts.map(({ length }) => length)).toEqual(lengths);
    expect(parts.map(toHex).join('')).toBe(hex);
  });
});

describe.each(VERSIONS)('DTLS %s', (version) => {
  it.each(PROFILES)('T002 both ends agree on %s and have the same keys', (profile) => {
    const pair = connectedPair({ client: side(version, ALL), server: side(version, [profile]) });
    for (const role of ['client', 'server'] as const) {
      expect(pair.events[role]).toEqual([{ type: 'connected', srtpProfile: profile }]);
      expect(pair.engine(role).inspect().srtpCipher).toBe(profile);
    }
    const keys = pair.client.srtpKeys();
    expect(keys).toBeDefined();
    expect(keys).toEqual(pair.server.srtpKeys());
    const length = srtpKeyingMaterialLength(profile);
    const material = pair.server.exportKeyingMaterial('EXTRACTOR-dtls_srtp', length) ?? new Uint8Array();
    expect(keys).toEqual(splitSrtpKeys(profile, material));
    expect(JSON.stringify(pair.client.inspect())).not.toContain(toHex(keys?.client.key ?? new Uint8Array()));
  });

  it("the server's order decides", () => {
    const pair = connectedPair({
      client: side(version, ['SRTP_AES128_CM_HMAC_SHA1_80', 'SRTP_AEAD_AES_128_GCM']),
      server: side(version, [
        'SRTP_AEAD_AES_256_GCM',
        'SRTP_AEAD_AES_128_GCM',
        'SRTP_AES128_CM_HMAC_SHA1_80',
      ]),
    });
    expect(pair.client.inspect().srtpCipher).toBe('SRTP_AEAD_AES_128_GCM');
  });

  it('through a HelloRetryRequest too', () => {
    const server = { ...side(version, ALL), groups: ['secp256r1'] as const };
    const pair = connectedPair({ client: side(version, ALL), server });
    expect(pair.client.srtpKeys()).toEqual(pair.server.srtpKeys());
    expect(pair.client.inspect().srtpCipher).toBe(ALL[0]);
  });

  it.each([
    ['the client alone', ALL, undefined],
    ['the server alone', undefined, ALL],
    ['nobody', undefined, undefined],
  ])('%s speaks of SRTP: the association stands, without keys', (_, client, server) => {
    const pair = connectedPair({ client: side(version, client), server: side(version, server) });
    for (const role of ['client', 'server'] as const) {
      expect(pair.events[role]).toEqual([{ type: 'connected' }]);
      expect([pair.engine(role).srtpKeys(), pair.engine(role).inspect().srtpCipher]).toEqual([
        undefined,
        null,
      ]);
    }
  });

  it('T012 no profile in common ends it on both sides, with handshake_failure', () => {
    const pair = new Pair({
      client: side(version, ['SRTP_AEAD_AES_128_GCM']),
      server: side(version, ['SRTP_AES128_CM_HMAC_SHA1_80']),
    });
    pair.start().run();
    expect(pair.codes('server')).toEqual(['closed no-common-srtp-profile']);
    expect(pair.codes('client')).toEqual(['closed alert-received']);
    expect(pair.events.client.at(-1)).toMatchObject({
      failure: { message: expect.stringContaining('handshake_failure') },
    });
  });

  it('SEC-22 no keys before the peer is known', () => {
    const pair = new Pair({
      client: { ...side(version, ALL), remoteFingerprints: undefined },
      server: side(version, ALL),
    });
    pair.start();
    pair.runTo(1000);
    expect([pair.client.state, pair.client.inspect().handshake.state]).toEqual(['connecting', 'complete']);
    expect(pair.client.srtpKeys()).toBeUndefined();
  });

  describe('the MKI and the choice', () => {
    const versions = { min: version, max: version };
    const client: MachineOptions = {
      versions,
      srtpProfiles: ['SRTP_AEAD_AES_128_GCM', 'SRTP_AES128_CM_HMAC_SHA1_80'],
    };
    const server: MachineOptions = { versions, srtpProfiles: ['SRTP_AES128_CM_HMAC_SHA1_80'] };
    const answerType = version === '1.2' ? HandshakeType.serverHello : HandshakeType.encryptedExtensions;

    /** The message with the bytes of its use_srtp, type and length in front, put in place of `from`. */
    function replaced(message: HandshakeMessage, from: string, to: string): HandshakeMessage {
      const hex = toHex(message.body);
      expect(hex).toContain(from);
      const body = fromHex(hex.replace(from, to)) ?? new Uint8Array();
      return { ...message, body };
    }

    function answeredWith(to: string): string | undefined {
      const conversation = new Conversation(client, server);
      conversation.next('server');
      for (;;) {
        const step = conversation.next('client', (message) =>
          // use_srtp 14, 5 bytes: one profile, no MKI. The answer's own length stays.
          message.type === answerType ? replaced(message, '000e00050002000100', to) : message,
        );
        const heard = conversation.heard.client.at(-1);
        if (step === undefined || heard?.type === answerType) return step?.problem?.code;
      }
    }

    it.each([
      ['a profile that was not offered', '000e00050002000200', 'illegal-parameter'],
      ['an MKI as long as the list', '000e00050000020001', 'malformed-message'],
      ['no profile', '000e00050000000000', 'malformed-message'],
      ['what was offered', '000e00050002000100', undefined],
    ])('the client hears %s', (_, to, code) => {
      expect(answeredWith(to)).toBe(code);
    });
  });
});

describe('an MKI', () => {
  const profiles = ['SRTP_AES128_CM_HMAC_SHA1_80'] as const;

  it('of the client is passed over, and answered with none (§4.1.3)', () => {
    const conversation = new Conversation({ srtpProfiles: profiles }, { srtpProfiles: profiles });
    conversation.next('server', (message) => withMki(message));
    const hello = conversation.server.said[0];
    expect(toHex(hello?.body ?? new Uint8Array())).toContain('000e00050002000100');
    expect(conversation.server.handshake.srtpProfile).toBe(profiles[0]);
  });

  it('of the server ends the handshake: none was offered', () => {
    const conversation = new Conversation({ srtpProfiles: profiles }, { srtpProfiles: profiles });
    conversation.next('server');
    const step = conversation.next('client', (message) => withMki(message));
    expect(step?.problem).toMatchObject({ code: 'illegal-parameter', alert: 47 });
  });

  /** An MKI of two bytes in the hello's use_srtp, all lengths put right. */
  function withMki(message: HandshakeMessage): HandshakeMessage {
    const hex = toHex(message.body);
    const at = hex.indexOf('000e00050002000100');
    expect(at).toBeGreaterThan(0);
    const body = fromHex(hex.replace('000e00050002000100', '000e000700020001020909')) ?? new Uint8Array();
    // The list of extensions is two bytes longer: its length stands before the first one.
    for (let before = at / 2 - 2; before > 34; before--) {
      const listLength = (message.body[before]! << 8) | message.body[before + 1]!;
      if (before + 2 + listLength !== message.body.length) continue;
      body[before] = (listLength + 2) >> 8;
      body[before + 1] = (listLength + 2) & 255;
      return { ...message, body };
    }
    throw new Error('no list of extensions');
  }
});

it('refuses a profile that there is not, before anything has changed', () => {
  const options = { ...engineOptions('client'), srtpProfiles: ['SRTP_NULL_HMAC_SHA1_80' as SrtpProfile] };
  expect(() => new Dtls(options)).toThrow(expect.objectContaining({ code: 'ERR_BAD_ARGUMENT' }));
});
