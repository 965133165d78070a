/**
 * T117: our DER writer and public-key reader against two witnesses that share no code with us or each other,
 * @peculiar/x509 and Node's OpenSSL, on thousands of certificates: generated, of other makers, and mutated. `npm test`
 * runs a part, `npm run test:long` more, SANSRTC_SOAK=1 all. Counts are printed.
 */
import 'reflect-metadata';
import { X509Certificate as X509 } from '@peculiar/x509';
import { X509Certificate as NodeX509 } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { describeCertificate, exportPem, generateCertificate, importPem } from '../../src/certificate.ts';
import { concatBytes, copyBytes } from '../../src/core/bytes.ts';
import { isFailure } from '../../src/core/decode.ts';
import { SeededRandom } from '../../src/core/random.ts';
import { toHex } from '../../src/core/text.ts';
import { jsCrypto } from '../../src/crypto/index.ts';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import type { SelfSignedCertificateOptions } from '../../src/dtls/certificate/certificate.ts';
import { publicKeyOf, selfSignedCertificate } from '../../src/dtls/certificate/certificate.ts';
import { howMany } from '../how-many.ts';

const isSoak = process.env['SANSRTC_SOAK'] !== undefined;
const GENERATED = isSoak ? 5000 : howMany(250, 1000);
const FOREIGN = isSoak ? 500 : 25;
const MUTATED = isSoak ? 20_000 : howMany(600, 3000);
/** OpenSSL reads them all; @peculiar/x509, which takes a hundred times as long, every fourth. */
const X509_EVERY = isSoak ? 1 : 4;

const counts = { generated: 0, foreign: 0, mutated: 0, readByUs: 0, agreedWithNode: 0, agreedWithX509: 0 };

/** The key as hex, `undefined` if we refuse the certificate. It never throws. */
function ourKey(der: Uint8Array): string | undefined {
  const key = publicKeyOf(der);
  return isFailure(key) || key.type !== 'ec' || key.curve !== 'secp256r1' ? undefined : toHex(key.point);
}

/** What OpenSSL reads: an uncompressed P-256 point as hex, `undefined` for anything else. */
function nodeKey({ publicKey }: NodeX509): string | undefined {
  const { crv, x = '', y = '' } = publicKey.export({ format: 'jwk' });
  const hex = (coordinate: string): string => Buffer.from(coordinate, 'base64url').toString('hex');
  return crv === 'P-256' ? `04${hex(x)}${hex(y)}` : undefined;
}

/** What @peculiar/x509 reads: the last 65 bytes of a SubjectPublicKeyInfo for P-256. */
function x509Key({ publicKey }: X509): string | undefined {
  const { namedCurve } = publicKey.algorithm as { namedCurve?: string };
  return namedCurve === 'P-256' ? toHex(new Uint8Array(publicKey.rawData).subarray(-65)) : undefined;
}

/** What a witness reads, `undefined` if it refuses. */
function attempt(read: () => string | undefined): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

const LETTERS = Array.from('abcXYZ019 -.@_äßøñ漢字Ωя🙂');

/** A name, a validity and everything else drawn from `random`; times on both sides of 2050, where their form changes. */
function randomOptions(random: SeededRandom): SelfSignedCertificateOptions {
  const pick = (below: number): number => Math.floor(random.unit() * below);
  const letters = Array.from({ length: 1 + pick(20) }, () => LETTERS[pick(LETTERS.length)] ?? 'x');
  const notBefore = pick(4_000_000_000) * 1000;
  return {
    commonName: `w${letters.join('').trim()}`,
    notBefore,
    notAfter: notBefore + (1 + pick(2_000_000_000)) * 1000,
  };
}

describe('generated', () => {
  it(`${GENERATED} certificates are read by both witnesses as we have written them`, () => {
    const serials = new Set<string>();
    for (let seed = 0; seed < GENERATED; seed++) {
      const random = new SeededRandom(seed);
      const options = randomOptions(random);
      const { der, fingerprint, signingKey } = selfSignedCertificate({
        ...options,
        random,
        crypto: nodeCrypto(),
      });
      const { commonName = '', notBefore = 0, notAfter = 0 } = options;
      const key = toHex(signingKey.publicKey);
      const node = new NodeX509(der);
      expect([seed, ourKey(der), nodeKey(node)]).toEqual([seed, key, key]);
      expect(node.verify(node.publicKey)).toBe(true);
      expect([node.fingerprint256, node.ca]).toEqual([fingerprint.value, false]);
      expect([Date.parse(node.validFrom), Date.parse(node.validTo)]).toEqual([notBefore, notAfter]);
      // 16 bytes, positive, and never twice.
      expect(node.serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/);
      serials.add(node.serialNumber);
      counts.generated++;
      if (seed % X509_EVERY !== 0) continue;

      const x509 = new X509(copyBytes(der));
      expect([x509Key(x509), x509.serialNumber]).toEqual([key, node.serialNumber.toLowerCase()]);
      const names = [x509.subjectName.getField('CN'), x509.issuerName.getField('CN')];
      expect(names).toEqual([[commonName], [commonName]]);
      expect([x509.notBefore.getTime(), x509.notAfter.getTime()]).toEqual([notBefore, notAfter]);
    }
    expect(serials.size).toBe(GENERATED);
  });

  it('a seed gives the same bytes, and each of another seed', () => {
    const all = new Set<string>();
    for (let seed = 0; seed < 20; seed++) {
      const make = (): string => {
        const random = new SeededRandom(seed);
        return toHex(selfSignedCertificate({ ...randomOptions(random), random, crypto: jsCrypto() }).der);
      };
      expect(make()).toBe(make());
      all.add(make());
    }
    expect(all.size).toBe(20);
  });
});

describe('of the entry sansrtc/certificate', () => {
  it(`${FOREIGN} with names, validities and extensions of another maker: read alike, and the same after PEM`, async () => {
    for (let seed = 0; seed < FOREIGN; seed++) {
      const { commonName = '', notBefore = 0, notAfter = 0 } = randomOptions(new SeededRandom(1e6 + seed));
      const plain = commonName.replaceAll(/[^A-Za-z0-9 ]/g, 'x');
      const made = await generateCertificate({
        name: `CN=${plain}, O=Example ${seed}`,
        notBefore: new Date(notBefore),
        notAfter: new Date(notAfter),
      });
      const { der, signingKey } = made.certificate;
      const key = toHex(signingKey.publicKey);
      const [node, x509] = [new NodeX509(der), new X509(copyBytes(der))];
      expect([seed, ourKey(der), nodeKey(node), x509Key(x509)]).toEqual([seed, key, key, key]);
      const description = describeCertificate(der);
      expect([description.notBefore.getTime(), description.notAfter.getTime()]).toEqual([
        notBefore,
        notAfter,
      ]);
      expect(description.subject).toBe(`CN=${plain}, O=Example ${seed}`);
      expect(node.subject).toBe(`CN=${plain}\nO=Example ${seed}`);
      const again = importPem(exportPem(made));
      expect([again.certificate.der, again.privateKey]).toEqual([der, made.privateKey]);
      counts.foreign++;
    }
  });
});

describe('mutated', () => {
  type Mutation = (der: Uint8Array, random: SeededRandom) => Uint8Array;

  function at(der: Uint8Array, random: SeededRandom): number {
    return Math.floor(random.unit() * der.length);
  }

  const MUTATIONS: Readonly<Record<string, Mutation>> = {
    'a bit flipped': (der, random) => {
      const copy = copyBytes(der);
      copy[at(der, random)]! ^= 1 << Math.floor(random.unit() * 8);
      return copy;
    },
    'bytes replaced': (der, random) => {
      const copy = copyBytes(der);
      for (let left = 1 + Math.floor(random.unit() * 4); left > 0; left--) {
        copy[at(der, random)] = Math.floor(random.unit() * 256);
      }
      return copy;
    },
    'cut short': (der, random) => der.subarray(0, at(der, random)),
    'a byte taken out': (der, random) => {
      const place = at(der, random);
      return concatBytes(der.subarray(0, place), der.subarray(place + 1));
    },
    'a byte put in': (der, random) => {
      const place = at(der, random);
      const byte = Uint8Array.of(Math.floor(random.unit() * 256));
      return concatBytes(der.subarray(0, place), byte, der.subarray(place));
    },
    'a piece doubled': (der, random) => {
      const [from, to] = [at(der, random), at(der, random)].sort((a, b) => a - b);
      return concatBytes(der.subarray(0, to), der.subarray(from));
    },
    'bytes behind the end': (der, random) =>
      concatBytes(der, new Uint8Array(1 + Math.floor(random.unit() * 9))),
    'the tail of another': (der, random) =>
      concatBytes(der.subarray(0, at(der, random)), BASES[0]?.subarray(at(der, random)) ?? der),
  };

  const BASES = [1, 2, 3].map(
    (seed) =>
      selfSignedCertificate({ ...randomOptions(new SeededRandom(seed)), random: new SeededRandom(seed) }).der,
  );

  it(`${MUTATED} never make us throw, and who reads a key reads the same`, async () => {
    const bases = [...BASES, (await generateCertificate({ name: 'CN=extended, O=Example' })).certificate.der];
    const random = new SeededRandom(7);
    const mutations = Object.entries(MUTATIONS);
    for (let count = 0; count < MUTATED; count++) {
      const [name, mutate] = mutations[count % mutations.length] ?? expect.unreachable();
      const mutated = mutate(
        bases[Math.floor(count / mutations.length) % bases.length] ?? new Uint8Array(),
        random,
      );
      const before = copyBytes(mutated);
      const ours = ourKey(mutated);
      expect(mutated).toEqual(before);
      counts.mutated++;
      if (ours === undefined) continue;
      counts.readByUs++;
      const node = attempt(() => nodeKey(new NodeX509(mutated)));
      const isForX509 = counts.readByUs % X509_EVERY === 0;
      const x509 = isForX509 ? attempt(() => x509Key(new X509(copyBytes(mutated)))) : undefined;
      // OpenSSL also refuses points that are off the curve, and both read names and dates, which we pass over.
      if (node !== undefined) {
        expect([name, toHex(mutated), node]).toEqual([name, toHex(mutated), ours]);
        counts.agreedWithNode++;
      }
      if (x509 !== undefined) {
        expect([name, toHex(mutated), x509]).toEqual([name, toHex(mutated), ours]);
        counts.agreedWithX509++;
      }
    }
    expect(counts.agreedWithNode).toBeGreaterThan(MUTATED / 20);
    expect(counts.agreedWithX509).toBeGreaterThan(MUTATED / 20 / X509_EVERY);
  });
});

afterAll(() => {
  console.log(
    `${counts.generated} certificates of ours and ${counts.foreign} of another maker read alike by all who read them; of ` +
      `${counts.mutated} mutated ones we read ${counts.readByUs}, OpenSSL agreed on ${counts.agreedWithNode} keys and ` +
      `@peculiar/x509 on ${counts.agreedWithX509}, nobody disagreed`,
  );
});
