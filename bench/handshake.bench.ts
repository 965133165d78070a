/**
 * One DTLS handshake, both sides, beside the floor: the key agreement, signatures and verifications that no handshake can
 * do without, by the same provider. Read the ratios: `npm run bench:handshake`. Half of a figure is one side's share.
 * Printed first: how often a handshake asks its provider for what.
 */
import { bench, describe } from 'vitest';
import { SeededRandom } from '../src/core/random.ts';
import type { CryptoProvider, Group } from '../src/crypto/index.ts';
import { jsCrypto } from '../src/crypto/index.ts';
import { nodeCrypto } from '../src/crypto/node/index.ts';
import type { DtlsVersion } from '../src/dtls/index.ts';
import { Dtls, selfSignedCertificate } from '../src/dtls/index.ts';

const message = new Uint8Array(130);

/** Of both sides: a key pair, its answer, the agreement; two signatures, two verifications. */
function floorOf(crypto: CryptoProvider, group: Group): () => void {
  const random = new SeededRandom(1);
  const key = crypto.signingKey(crypto.generateScalar(random));
  const publicKey = { type: 'ec', curve: key.curve, point: key.publicKey } as const;
  return () => {
    const ours = crypto.keyExchange(group, random);
    const answer = crypto.answerKeyExchange(group, ours.publicKey, random);
    ours.deriveSecret(answer?.publicKey ?? message);
    for (let side = 0; side < 2; side++) {
      crypto.verify('ecdsa-sha-256', publicKey, message, key.sign(message));
    }
  };
}

/** A handshake in memory: nothing is lost, nobody waits. */
function handshakeOf(crypto: CryptoProvider, version: DtlsVersion, group: Group): () => void {
  const certificate = selfSignedCertificate({ crypto });
  const side = (role: 'client' | 'server'): Dtls =>
    new Dtls({
      role,
      crypto,
      certificate,
      random: new SeededRandom(2).split(role),
      remoteFingerprints: [certificate.fingerprint],
      versions: { min: version, max: version },
      groups: [group],
    });
  return () => {
    const [client, server] = [side('client'), side('server')];
    server.start(0);
    client.start(0);
    for (let moved = true; moved;) {
      moved = false;
      for (const [from, to] of [
        [client, server],
        [server, client],
      ] as const) {
        for (let data = from.pollTransmit(); data !== undefined; data = from.pollTransmit()) {
          to.handlePacket(data, 0);
          moved = true;
        }
      }
    }
    if (client.state !== 'connected' || server.state !== 'connected') throw new Error('not connected');
  };
}

/** Counts what is asked of a provider and of the keys and hashes it gives. */
class Counting {
  readonly calls = new Map<string, number>();

  wrap<T extends object>(target: T, name: string): T {
    return new Proxy(target, {
      get: (_, property) => {
        const value: unknown = Reflect.get(target, property);
        if (typeof value !== 'function') return value;
        const call = `${name}.${String(property)}`;
        return (...parameters: unknown[]): unknown => {
          this.calls.set(call, (this.calls.get(call) ?? 0) + 1);
          const result: unknown = Reflect.apply(value, target, parameters);
          const isHandle = typeof result === 'object' && result !== null && !(result instanceof Uint8Array);
          return isHandle ? this.wrap(result, String(property)) : result;
        };
      },
    });
  }
}

for (const version of ['1.2', '1.3'] as const) {
  const counting = new Counting();
  const handshake = handshakeOf(counting.wrap(nodeCrypto(), 'crypto'), version, 'x25519');
  counting.calls.clear();
  handshake();
  const calls = [...counting.calls].map(([call, times]) => `${call} ${times}`).join(', ');
  console.log(`DTLS ${version}, both sides: ${calls}`);
}

for (const crypto of [nodeCrypto(), jsCrypto()]) {
  for (const group of ['x25519', 'secp256r1', 'x25519mlkem768'] as const) {
    describe(`${crypto.name}, ${group}, both sides`, () => {
      crypto.warmUp();
      bench('the floor: the primitives alone', floorOf(crypto, group));
      if (group !== 'x25519mlkem768') bench('DTLS 1.2', handshakeOf(crypto, '1.2', group));
      bench('DTLS 1.3', handshakeOf(crypto, '1.3', group));
    });
  }
}
