import type { Bytes } from '../../src/core/bytes.ts';
import { SeededRandom } from '../../src/core/random.ts';
import { DTLS_HEADROOM, DTLS_TAILROOM, Dtls } from '../../src/dtls/index.ts';
import type { DtlsVersion } from '../../src/dtls/index.ts';
import { describeMachine } from './compliance.ts';
import type { Fixture, Subject } from './rig.ts';
import { certificates, crypto, forms, layer } from './subjects.ts';

/** One end of an association, started; `secrets` are the keys of both key logs. */
function makeEnd(seed: number, index: 0 | 1, version: DtlsVersion, secrets: string[]): Subject {
  const dtls = new Dtls({
    role: index === 0 ? 'client' : 'server',
    certificate: certificates[index],
    crypto,
    random: new SeededRandom(2 * seed + index),
    remoteFingerprints: [certificates[index === 0 ? 1 : 0].fingerprint],
    versions: { min: version, max: version },
    requireCookie: false,
    keyLog: (_label, _clientRandom, secret) => secrets.push(...forms(secret)),
  });
  dtls.start(0);
  const plaintexts: Bytes[] = [];
  const seal = (): Bytes | undefined => {
    const plaintext = plaintexts.shift();
    if (plaintext === undefined) return undefined;
    const buffer = new Uint8Array(DTLS_HEADROOM + plaintext.length + DTLS_TAILROOM);
    buffer.set(plaintext, dtls.headroom);
    const length = dtls.seal(buffer, dtls.headroom, plaintext.length);
    return length < 0 ? undefined : buffer.subarray(0, length);
  };
  return layer({
    machine: dtls,
    handlePacket: (packet, now) => {
      dtls.handlePacket(packet, now);
      while (dtls.pollData() !== undefined);
    },
    pollPacket: () => dtls.pollTransmit() ?? seal(),
    calls: [
      () => plaintexts.push(new Uint8Array(100).fill(1)),
      () => plaintexts.push(new Uint8Array(1000).fill(2)),
    ],
    secrets: () => secrets,
  });
}

function fixture(version: DtlsVersion): Fixture {
  return {
    name: `Dtls ${version}`,
    setUp: 2000,
    connected: '"type":"connected"',
    make: (seed) => {
      const secrets: string[] = [];
      return { subject: makeEnd(seed, 0, version, secrets), peer: makeEnd(seed, 1, version, secrets) };
    },
  };
}

describeMachine(fixture('1.2'));
describeMachine(fixture('1.3'));
