/**
 * A DTLS 1.3 session between Firefox and Chromium, replayed through our record layer, transcript and key schedule: every
 * record opens to what the browsers' key log says, and both Finished and CertificateVerify are what we would compute.
 */
import { describe, expect, it } from 'vitest';
import type { Bytes } from '../../src/core/bytes.ts';
import type { PublicKey } from '../../src/crypto/index.ts';
import { Reader } from '../../src/core/bytes.ts';
import { isFailure } from '../../src/core/decode.ts';
import { fromHex, toHex } from '../../src/core/text.ts';
import { publicKeyOf } from '../../src/dtls/certificate/certificate.ts';
import { CIPHER_SUITES } from '../../src/dtls/cipher-suites.ts';
import { dtlsCounters } from '../../src/dtls/counting.ts';
import type { Epochs } from '../../src/dtls/record/epochs.ts';
import { initialEpochs } from '../../src/dtls/record/epochs.ts';
import { ReadEpoch13 } from '../../src/dtls/record/epoch13.ts';
import { RecordReader } from '../../src/dtls/record/reader.ts';
import type { DtlsRole } from '../../src/dtls/index.ts';
import { Dtls } from '../../src/dtls/index.ts';
import { decodeAck } from '../../src/dtls/record/ack.ts';
import { decodeCertificateVerify } from '../../src/dtls/messages/certificates.ts';
import {
  certificateVerifyInput,
  decodeCertificate13,
  decodeCertificateRequest13,
} from '../../src/dtls/messages/certificates13.ts';
import { ExtensionType, decodeU16Vector, findExtension } from '../../src/dtls/messages/extensions.ts';
import type { HandshakeMessage } from '../../src/dtls/messages/handshake.ts';
import { HandshakeType, decodeFragment } from '../../src/dtls/messages/handshake.ts';
import { DEFAULT_LIMITS } from '../../src/dtls/options.ts';
import { Reassembly } from '../../src/dtls/reassembly.ts';
import { ContentType } from '../../src/dtls/record/record.ts';
import { TrafficSecret } from '../../src/dtls/v13/schedule.ts';
import { Transcript } from '../../src/dtls/transcript.ts';
import session from '../fixtures/dtls13-session.json' with { type: 'json' };
import { crypto, engineOptions } from './pair.ts';

type Plain = readonly [type: number, epoch: number, sequence: number, hex: string];

const suite = CIPHER_SUITES.find(({ name }) => name === 'TLS_AES_128_GCM_SHA256');
if (suite === undefined) throw new Error('no suite');
const aes = suite;

function bytes(hex: string): Bytes {
  return fromHex(hex) ?? new Uint8Array();
}

function secretOf(label: string): TrafficSecret {
  const line = session.keylog.find((candidate) => candidate.startsWith(`${label} `)) ?? '';
  return new TrafficSecret(crypto, aes, bytes(line.split(' ')[2] ?? ''));
}

/** What a reader of this side's records needs. */
function epochsOf(from: DtlsRole): Epochs {
  const side = from.toUpperCase();
  const read13 = [
    new ReadEpoch13(crypto, 3, secretOf(`${side}_TRAFFIC_SECRET_0`).keys()),
    new ReadEpoch13(crypto, 2, secretOf(`${side}_HANDSHAKE_TRAFFIC_SECRET`).keys()),
  ];
  return { ...initialEpochs(), read13 };
}

interface Opened {
  readonly from: DtlsRole;
  readonly type: number;
  readonly epoch: number;
  readonly sequence: number;
  readonly body: Bytes;
}

/** Every record of the session, opened. */
function openAll(): Opened[] {
  const readers = {
    client: new RecordReader(epochsOf('client'), DEFAULT_LIMITS, dtlsCounters()),
    server: new RecordReader(epochsOf('server'), DEFAULT_LIMITS, dtlsCounters()),
  };
  return session.datagrams.flatMap(({ from, hex }) => {
    const reader = readers[from as DtlsRole];
    const records: Opened[] = [];
    reader.load(bytes(hex));
    while (reader.next()) {
      const { type, epoch, sequence, body } = reader;
      records.push({ from: from as DtlsRole, type, epoch, sequence, body: body.slice() });
    }
    return records;
  });
}

/** The handshake messages, in order. */
function messages(): { from: DtlsRole; message: HandshakeMessage }[] {
  const incoming = { client: new Reassembly(DEFAULT_LIMITS), server: new Reassembly(DEFAULT_LIMITS) };
  return openAll().flatMap(({ from, type, body }) => {
    const taken: { from: DtlsRole; message: HandshakeMessage }[] = [];
    const reader = new Reader(type === ContentType.handshake ? body : new Uint8Array());
    while (reader.remaining > 0) {
      const fragment = decodeFragment(reader);
      if (isFailure(fragment)) throw new Error(fragment.reason);
      incoming[from].accept(fragment);
    }
    for (let message = incoming[from].take(); message !== undefined; message = incoming[from].take()) {
      taken.push({ from, message });
    }
    return taken;
  });
}

describe('DTLS 1.3 between Firefox and Chromium', () => {
  it('T076 T077 every protected record opens to what was recorded', () => {
    const expected = session.datagrams.flatMap(({ plain }) => (plain ?? []) as unknown as Plain[]);
    const opened = openAll().filter(({ epoch }) => epoch > 0);
    expect(opened.map(({ type, epoch, sequence }) => [type, epoch, sequence])).toEqual(
      expected.map(([type, epoch, sequence]) => [type, epoch, sequence]),
    );
    // The recording shows handshake messages with the header of TLS.
    const data = opened.filter(({ type }) => type !== ContentType.handshake);
    const recorded = expected.filter(([type]) => type !== ContentType.handshake);
    expect(data.map(({ body }) => toHex(body))).toEqual(recorded.map(([, , , hex]) => hex));
    expect(data.length).toBeGreaterThan(5);
  });

  it('has the flights of RFC 9147 §5.6', () => {
    expect(messages().map(({ from, message }) => [from, message.type])).toEqual([
      ['client', HandshakeType.clientHello],
      ['server', HandshakeType.serverHello],
      ['server', HandshakeType.encryptedExtensions],
      ['server', HandshakeType.certificateRequest],
      ['server', HandshakeType.certificate],
      ['server', HandshakeType.certificateVerify],
      ['server', HandshakeType.finished],
      ['client', HandshakeType.certificate],
      ['client', HandshakeType.certificateVerify],
      ['client', HandshakeType.finished],
    ]);
  });

  it('RFC 9147 §5.2 RFC 8446 §4.4 signatures and Finished of both are over the transcript as we keep it', () => {
    const transcript = new Transcript(crypto);
    transcript.choose(aes);
    const publicKeys: Partial<Record<DtlsRole, PublicKey>> = {};
    const proved: string[] = [];
    for (const { from, message } of messages()) {
      if (message.type === HandshakeType.certificate) {
        const shown = decodeCertificate13(message.body);
        const key = isFailure(shown) ? shown : publicKeyOf(shown.chain[0] ?? new Uint8Array());
        if (isFailure(key)) throw new Error(key.reason);
        publicKeys[from] = key;
      } else if (message.type === HandshakeType.certificateVerify) {
        const signed = decodeCertificateVerify(message.body);
        if (isFailure(signed)) throw new Error(signed.reason);
        const input = certificateVerifyInput(from, transcript.hash());
        const key = publicKeys[from];
        const isValid = key !== undefined && crypto.verify('ecdsa-sha-256', key, input, signed.signature);
        proved.push(`${from} CertificateVerify ${String(isValid)}`);
      } else if (message.type === HandshakeType.finished) {
        const secret = secretOf(`${from.toUpperCase()}_HANDSHAKE_TRAFFIC_SECRET`);
        expect(secret.verifyData(transcript.hash())).toEqual(message.body);
        proved.push(`${from} Finished`);
      }
      transcript.add(message);
    }
    expect(proved).toEqual([
      'server CertificateVerify true',
      'server Finished',
      'client CertificateVerify true',
      'client Finished',
    ]);
  });

  it('RFC 9147 §7 the ACK names the records of the last flight', () => {
    const ack = openAll().find(({ type }) => type === ContentType.ack);
    expect(decodeAck(ack?.body ?? new Uint8Array())).toEqual(
      [0, 1, 2].map((sequence) => ({ epoch: 2, sequence })),
    );
  });

  it('T020 a CertificateRequest names the schemes we sign with', () => {
    const request = messages().find(({ message }) => message.type === HandshakeType.certificateRequest);
    const extensions = decodeCertificateRequest13(request?.message.body ?? new Uint8Array());
    if (isFailure(extensions)) throw new Error(extensions.reason);
    const data = findExtension(extensions, ExtensionType.signatureAlgorithms);
    expect(decodeU16Vector(data ?? new Uint8Array())).toContain(0x0403);
  });

  it('T038 the ClientHello is answered with DTLS 1.3, by a server that speaks it', () => {
    const server = new Dtls({ ...engineOptions('server'), versions: { max: '1.3' } });
    server.start(0);
    for (const { hex } of session.datagrams.slice(0, 2)) server.handlePacket(bytes(hex), 1);
    expect(server.inspect()).toMatchObject({
      tlsVersion: 'FEFC',
      dtlsCipher: 'TLS_AES_128_GCM_SHA256',
      handshake: { state: 'await-certificate', group: 'x25519mlkem768' },
    });
  });
});
