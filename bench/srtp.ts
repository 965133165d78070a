/**
 * What SRTP costs a packet, by provider, profile and size, microseconds: `npm run bench:srtp`, with a part of a profile's or a provider's name to see
 * that alone.
 *
 *   seal, open   one source of one association
 *   fan-out      sealed for fifty associations in turn, as a forwarding unit does
 *   mixed        sealed for one association: ten packets of video, then one of audio, each of its own source
 *   forged       opened, and the tag is wrong
 *   one AEAD     what createCipheriv and createDecipheriv of `node:crypto` cost alone, for comparison
 *
 * The least of many rounds: what the machine does beside it only adds.
 */
import { createCipheriv, createHmac } from 'node:crypto';
import type { CryptoProvider } from '../src/crypto/index.ts';
import { jsCrypto } from '../src/crypto/index.ts';
import { nodeCrypto } from '../src/crypto/node/index.ts';
import type { Srtp, SrtpProfile } from '../src/srtp/index.ts';
import { SRTP_KEY_LENGTHS, createSrtp } from '../src/srtp/index.ts';

const SIZES = [160, 1100];
const ROUNDS = 60;
const PACKETS = 400;
const FAN_OUT = 50;

/** The least time of a round, a packet of it, microseconds. */
function least(rounds: number, packets: number, prepare: () => void, run: () => void): string {
  let best = Infinity;
  for (let round = 0; round < rounds; round++) {
    prepare();
    const begun = performance.now();
    run();
    best = Math.min(best, performance.now() - begun);
  }
  return ((1000 * best) / packets).toFixed(2);
}

function associate(crypto: CryptoProvider, profile: SrtpProfile, seed: number): readonly [Srtp, Srtp] {
  const lengths = SRTP_KEY_LENGTHS[profile];
  const master = (end: number) => ({
    key: new Uint8Array(lengths.key).fill(seed + end),
    salt: new Uint8Array(lengths.salt).fill(seed + 2 * end + 1),
  });
  return [
    createSrtp({ profile, crypto, local: master(0), remote: master(1) }),
    createSrtp({ profile, crypto, local: master(1), remote: master(0) }),
  ];
}

function setHeader(packet: Uint8Array, sequence: number, ssrc: number): void {
  packet[0] = 0x80;
  packet[1] = 96;
  packet[2] = sequence >> 8;
  packet[3] = sequence;
  packet[11] = ssrc;
}

function packetsOf(size: number, growth: number, count = PACKETS): Uint8Array<ArrayBuffer>[] {
  return Array.from({ length: count }, () => new Uint8Array(12 + size + growth));
}

function oneSource(
  crypto: CryptoProvider,
  profile: SrtpProfile,
  size: number,
): readonly [string, string, string] {
  const [ours, theirs] = associate(crypto, profile, 1);
  const growth = ours.overhead.rtp;
  const packets = packetsOf(size, growth);
  let sequence = 0;
  const sealAll = (): void => {
    for (const packet of packets) {
      setHeader(packet, sequence++, 1);
      ours.protectRtp(packet, 0, 12 + size);
    }
  };
  const openAll = (): void => {
    for (const packet of packets) theirs.unprotectRtp(packet);
  };
  const nothing = (): void => undefined;
  // Each round of sealing is opened, so that the sequence numbers of both go on.
  const seal = least(ROUNDS, PACKETS, nothing, () => {
    sealAll();
  });
  const open = least(ROUNDS, PACKETS, sealAll, openAll);
  const forged = least(
    ROUNDS,
    PACKETS,
    () => {
      sealAll();
      for (const packet of packets) packet[20]! ^= 1;
    },
    openAll,
  );
  return [seal, open, forged];
}

function fanOut(crypto: CryptoProvider, profile: SrtpProfile, size: number): string {
  const all = Array.from({ length: FAN_OUT }, (_, i) => associate(crypto, profile, 3 * i)[0]);
  const count = 40;
  const packets = packetsOf(size, all[0]?.overhead.rtp ?? 0, count);
  let sequence = 0;
  return least(
    ROUNDS,
    count * FAN_OUT,
    () => undefined,
    () => {
      for (const packet of packets) {
        const next = sequence++;
        for (const srtp of all) {
          setHeader(packet, next, 1);
          srtp.protectRtp(packet, 0, 12 + size);
        }
      }
    },
  );
}

function mixed(crypto: CryptoProvider, profile: SrtpProfile): string {
  const [ours] = associate(crypto, profile, 1);
  const [audio = new Uint8Array()] = packetsOf(160, ours.overhead.rtp, 1);
  const video = packetsOf(1100, ours.overhead.rtp, 10);
  let [audioSequence, videoSequence] = [0, 0];
  return least(
    ROUNDS,
    11 * 30,
    () => undefined,
    () => {
      for (let i = 0; i < 30; i++) {
        for (const packet of video) {
          setHeader(packet, videoSequence++, 1);
          ours.protectRtp(packet, 0, 1112);
        }
        setHeader(audio, audioSequence++, 2);
        ours.protectRtp(audio, 0, 172);
      }
    },
  );
}

function floor(profile: SrtpProfile, size: number): string {
  const key = new Uint8Array(SRTP_KEY_LENGTHS[profile].key);
  const text = new Uint8Array(size);
  const header = new Uint8Array(12);
  const isGcm = profile.includes('GCM');
  const run = isGcm
    ? (): void => {
        const cipher = createCipheriv(key.length === 16 ? 'aes-128-gcm' : 'aes-256-gcm', key, header);
        cipher.setAAD(header);
        cipher.update(text);
        cipher.final();
        cipher.getAuthTag();
      }
    : (): void => {
        createCipheriv('aes-128-ctr', key, new Uint8Array(16)).update(text);
        createHmac('sha1', key).update(text).digest();
      };
  return least(
    ROUNDS,
    PACKETS,
    () => undefined,
    () => {
      for (let i = 0; i < PACKETS; i++) run();
    },
  );
}

const wanted = process.argv.slice(2);
const isWanted = (name: string): boolean => wanted.length === 0 || wanted.some((part) => name.includes(part));
console.log(`node ${process.version}; microseconds a packet`);
console.log('| profile | provider | payload | seal | open | forged | fan-out | mixed | one AEAD |');
console.log('| --- | --- | --- | --- | --- | --- | --- | --- | --- |');
for (const profile of Object.keys(SRTP_KEY_LENGTHS) as SrtpProfile[]) {
  for (const crypto of [nodeCrypto(), jsCrypto()]) {
    if (!isWanted(`${profile} ${crypto.name}`)) continue;
    for (const size of SIZES) {
      const cells = [...oneSource(crypto, profile, size), fanOut(crypto, profile, size)];
      const last = [
        size === 1100 ? mixed(crypto, profile) : '',
        crypto.name === 'node' ? floor(profile, size) : '',
      ];
      console.log(`| ${[profile, crypto.name, `${size} B`, ...cells, ...last].join(' | ')} |`);
    }
  }
}
