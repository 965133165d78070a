import { describe, expect, it } from 'vitest';
import { equalBytes } from '../../src/core/bytes.ts';
import type { Bytes } from '../../src/core/bytes.ts';
import { fromHex, toHex } from '../../src/core/text.ts';
import type { CipherSuite } from '../../src/dtls/cipher-suites.ts';
import { CIPHER_SUITES } from '../../src/dtls/cipher-suites.ts';
import type { DtlsCipherSuite } from '../../src/dtls/index.ts';
import { ReadEpoch13, WriteEpoch13 } from '../../src/dtls/record/epoch13.ts';
import { ContentType } from '../../src/dtls/record/record.ts';
import { MasterSecret, prf } from '../../src/dtls/v12/schedule.ts';
import { Exporter13, KeySchedule13, TrafficSecret } from '../../src/dtls/v13/schedule.ts';
import vectors13 from '../vectors/hkdf-tls13.json' with { type: 'json' };
import vectors from '../vectors/tls12-prf.json' with { type: 'json' };
import { crypto } from './pair.ts';

function bytes(hex: string): Bytes {
  const decoded = fromHex(hex);
  if (decoded === undefined) throw new Error('bad hex in a vector');
  return decoded;
}

function suiteNamed(name: DtlsCipherSuite): CipherSuite {
  const suite = CIPHER_SUITES.find((candidate) => candidate.name === name);
  if (suite === undefined) throw new Error(name);
  return suite;
}

const EXPORTER_LABEL = 'EXTRACTOR-dtls_srtp';

describe('RFC 5246 §5: P_hash', () => {
  it.each(vectors.vectors.map((vector) => [vector.id, vector] as const))(
    '%s gives the published output',
    (_, vector) => {
      const hmac = crypto.hmac(`sha-${vector.hash.slice(3)}` as 'sha-256', bytes(vector.secret));
      const output = prf(hmac, vector.label, bytes(vector.seed), vector.output.length / 2);
      expect(toHex(output)).toBe(vector.output);
    },
  );
});

describe.each([
  ['derived-sha256', 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'],
  ['derived-sha384', 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384'],
] as const)('the key schedule of DTLS 1.2, %s', (id, name) => {
  const derived = vectors.derived.find((candidate) => candidate.id === id);
  if (derived === undefined) throw new Error('vectors are missing');
  const suite = suiteNamed(name);
  const clientRandom = bytes(derived.client_random);
  const serverRandom = bytes(derived.server_random);
  const sessionHash = bytes(derived.session_hash);
  const masterSecret = (): MasterSecret =>
    new MasterSecret(crypto, suite, bytes(derived.pre_master_secret), 'extended master secret', sessionHash);

  it('RFC 7627 §4: master secret, key block and verify_data follow from the premaster secret', () => {
    const revealed: string[] = [];
    const master = new MasterSecret(
      crypto,
      suite,
      bytes(derived.pre_master_secret),
      'extended master secret',
      sessionHash,
      { reveal: (_, secret) => revealed.push(toHex(secret)) },
    );
    expect(revealed).toEqual([derived.extended_master_secret]);
    const keys = master.expand(clientRandom, serverRandom);
    const expected = derived.key_block_from_ems;
    expect(toHex(keys.client.key)).toBe(expected.client_write_key);
    expect(toHex(keys.server.key)).toBe(expected.server_write_key);
    expect(toHex(keys.client.iv)).toBe(expected.client_write_iv + '00'.repeat(8));
    expect(toHex(keys.server.iv)).toBe(expected.server_write_iv + '00'.repeat(8));
    expect(toHex(master.verifyData('client', sessionHash))).toBe(derived.finished.client);
    expect(toHex(master.verifyData('server', sessionHash))).toBe(derived.finished.server);
  });

  it('RFC 5246 §8.1: without RFC 7627 the randoms take the place of the session hash', () => {
    const revealed: string[] = [];
    const seed = bytes(derived.client_random + derived.server_random);
    new MasterSecret(crypto, suite, bytes(derived.pre_master_secret), 'master secret', seed, {
      reveal: (_, secret) => revealed.push(toHex(secret)),
    });
    expect(revealed).toEqual([derived.master_secret]);
  });

  it.each(Object.entries(derived.exporter_dtls_srtp))('T002 RFC 5764 §4.2: keys for %s', (_, expected) => {
    const exported = masterSecret().export(EXPORTER_LABEL, clientRandom, serverRandom, expected.length / 2);
    expect(toHex(exported)).toBe(expected);
  });

  it('SEC-21 leaves no premaster secret behind', () => {
    const premaster = bytes(derived.pre_master_secret);
    const master = new MasterSecret(crypto, suite, premaster, 'extended master secret', sessionHash);
    expect(equalBytes(premaster, new Uint8Array(premaster.length))).toBe(true);
    expect(JSON.stringify(master)).toBe('{}');
  });
});

describe('the key schedule of DTLS 1.3', () => {
  const { inputs, dtls13: expected } = vectors13;
  const suite = suiteNamed('TLS_AES_128_GCM_SHA256');

  it('RFC 9147 §5.9: traffic secrets and exporter secret follow from the shared secret', () => {
    const revealed: Record<string, string> = {};
    const schedule = new KeySchedule13(crypto, suite, bytes(inputs.ecdhe_shared), {
      reveal: (label, secret) => (revealed[label] = toHex(secret)),
    });
    schedule.handshake(bytes(inputs.transcript_hash_ch_sh));
    schedule.application(bytes(inputs.transcript_hash_ch_to_server_finished));
    expect(revealed).toEqual({
      CLIENT_HANDSHAKE_TRAFFIC_SECRET: expected.client_handshake_traffic_secret,
      SERVER_HANDSHAKE_TRAFFIC_SECRET: expected.server_handshake_traffic_secret,
      CLIENT_TRAFFIC_SECRET_0: expected.client_application_traffic_secret_0,
      SERVER_TRAFFIC_SECRET_0: expected.server_application_traffic_secret_0,
      EXPORTER_SECRET: expected.exporter_master_secret,
    });
  });

  it.each([
    ['client_handshake', expected.client_handshake_traffic_secret],
    ['server_handshake', expected.server_handshake_traffic_secret],
    ['client_application', expected.client_application_traffic_secret_0],
    ['server_application', expected.server_application_traffic_secret_0],
  ] as const)('keys, Finished and the next secret of %s', (name, secret) => {
    const wanted = expected.keys[name];
    const traffic = new TrafficSecret(crypto, suite, bytes(secret));
    const { key, iv, sequenceNumberKey } = traffic.keys();
    expect([key, iv, sequenceNumberKey].map(toHex)).toEqual([wanted.key, wanted.iv, wanted.sn]);
    const data = Uint8Array.of(1, 2, 3);
    expect(traffic.verifyData(data)).toEqual(crypto.hmac('sha-256', bytes(wanted.finished)).mac(data));
    const next = new TrafficSecret(crypto, suite, bytes(wanted.next_traffic_upd));
    expect(traffic.next().keys()).toEqual(next.keys());
  });

  it.each(Object.entries(expected.exporter_EXTRACTOR_dtls_srtp_empty_context))(
    'T002 RFC 8446 §7.5: %s bytes of keys for SRTP',
    (length, exported) => {
      const exporter = new Exporter13(crypto, suite, bytes(expected.exporter_master_secret));
      expect(toHex(exporter.export(EXPORTER_LABEL, Number(length)))).toBe(exported);
    },
  );

  it('T078 RFC 9147 §4: a record is sealed as published, and opens', () => {
    const { wire } = expected.ciphertext_record;
    const keys = new TrafficSecret(crypto, suite, bytes(expected.client_application_traffic_secret_0)).keys();
    const write = new WriteEpoch13(crypto, 3, keys);
    write.sequence = 7;
    const buffer = bytes('00'.repeat(5) + '68656c6c6f' + '00'.repeat(17));
    expect(write.seal(ContentType.applicationData, buffer, 5, 5)).toBe(wire.length / 2);
    expect(toHex(buffer)).toBe(wire);
    const read = new ReadEpoch13(crypto, 3, keys);
    expect(read.sequenceOf(buffer, 0)).toBe(7);
    expect(read.open(buffer, 0, 22, 7)).toBe(5);
    expect(read.type).toBe(ContentType.applicationData);
    expect(toHex(buffer.subarray(5, 10))).toBe('68656c6c6f');
  });

  it.each([0, 255, 256, 0xffff, 0x1_0000, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 5, 2 ** 48 - 1])(
    'RFC 8446 §5.3: all 48 bits of sequence number %d are in the nonce',
    (sequence) => {
      const keys = new TrafficSecret(
        crypto,
        suite,
        bytes(expected.client_application_traffic_secret_0),
      ).keys();
      const write = new WriteEpoch13(crypto, 3, keys);
      write.sequence = sequence;
      const buffer = bytes('00'.repeat(5) + '68656c6c6f' + '00'.repeat(17));
      write.seal(ContentType.applicationData, buffer, 5, 5);
      const mask = new Uint8Array(16);
      crypto.mask(keys.aead, keys.sequenceNumberKey).compute(buffer, 5, mask);
      const header = buffer.slice(0, 5);
      header[1]! ^= mask[0]!;
      header[2]! ^= mask[1]!;
      expect(toHex(header.subarray(1, 3))).toBe((sequence % 0x1_0000).toString(16).padStart(4, '0'));
      const nonce = (BigInt(`0x${toHex(keys.iv)}`) ^ BigInt(sequence)).toString(16).padStart(24, '0');
      expect(crypto.aead(keys.aead, keys.key).open(bytes(nonce), header, buffer, 5, 22)).toBe(6);
      expect(toHex(buffer.subarray(5, 11))).toBe('68656c6c6f17');
    },
  );
});
