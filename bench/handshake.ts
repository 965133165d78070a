/**
 * What a DTLS handshake costs, both sides and each alone, beside the floor: the key agreement, signatures and verifications
 * that no handshake can do without, by the same provider: `npm run bench:handshake`. Bundled, as users run it. The rounds of
 * all take turns and the lower quartile counts, so that a busy machine's pauses stay out of the ratios.
 *
 * Printed first: how often a handshake asks its provider for what.
 */
import { SeededRandom } from '../src/core/random.ts';
import type { CryptoProvider, Group } from '../src/crypto/index.ts';
import { jsCrypto } from '../src/crypto/index.ts';
import { nodeCrypto } from '../src/crypto/node/index.ts';
import type { DtlsRole, DtlsVersion } from '../src/dtls/index.ts';
import { Dtls, selfSignedCertificate } from '../src/dtls/index.ts';

const message = new Uint8Array(130);

/** Times of one round in ms. */
interface Cost {
  readonly client: number;
  readonly server: number;
}

/** Of one side: a key pair and an agreement, a signature, a verification. */
function floorOf(crypto: CryptoProvider, group: Group): () => Cost {
  const random = new SeededRandom(1);
  const key = crypto.signingKey(crypto.generateScalar(random));
  const publicKey = { type: 'ec', curve: key.curve, point: key.publicKey } as const;
  const authenticate = (): void => {
    crypto.verify('ecdsa-sha-256', publicKey, message, key.sign(message));
  };
  return () => {
    const start = performance.now();
    const ours = crypto.keyExchange(group, random);
    const asked = performance.now();
    const answer = crypto.answerKeyExchange(group, ours.publicKey, random);
    authenticate();
    const answered = performance.now();
    ours.deriveSecret(answer?.publicKey ?? message);
    authenticate();
    return { client: asked - start + (performance.now() - answered), server: answered - asked };
  };
}

/** A handshake in memory: nothing is lost, nobody waits. */
function handshakeOf(crypto: CryptoProvider, version: DtlsVersion, group: Group): () => Cost {
  const certificate = selfSignedCertificate({ crypto });
  const side = (role: DtlsRole): Dtls =>
    new Dtls({
      role,
      crypto,
      certificate,
      random: new SeededRandom(2).split(role),
      remoteFingerprints: [certificate.fingerprint],
      versions: { min: version, max: version },
      groups: [group],
      requireCookie: false,
    });
  return () => {
    const cost = { client: 0, server: 0 };
    let mark = performance.now();
    const charge = (role: DtlsRole): void => {
      const now = performance.now();
      cost[role] += now - mark;
      mark = now;
    };
    const client = side('client');
    client.start(0);
    charge('client');
    const server = side('server');
    server.start(0);
    charge('server');
    for (let from = client, to = server, quiet = 0; quiet < 2; [from, to] = [to, from]) {
      quiet++;
      for (let data = from.pollTransmit(); data !== undefined; data = from.pollTransmit()) {
        charge(from.role);
        to.handlePacket(data, 0);
        charge(to.role);
        quiet = 0;
      }
      charge(from.role);
    }
    if (client.state !== 'connected' || server.state !== 'connected') throw new Error('not connected');
    return cost;
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

function row(...cells: readonly (string | number)[]): void {
  console.log(`| ${cells.join(' | ')} |`);
}

/** The lower quartile. */
function usual(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 4)] ?? Number.NaN;
}

const DURATION = 6000;
const WARM_UP = 0.2;

function measure(crypto: CryptoProvider, group: Group): void {
  crypto.warmUp();
  const versions: readonly DtlsVersion[] = group === 'x25519mlkem768' ? ['1.3'] : ['1.2', '1.3'];
  const candidates = [
    { name: 'floor', run: floorOf(crypto, group) },
    ...versions.map((version) => ({ name: `DTLS ${version}`, run: handshakeOf(crypto, version, group) })),
  ].map((candidate) => ({ ...candidate, costs: [] as Cost[] }));
  const start = performance.now();
  for (let now = start; now < start + DURATION; now = performance.now()) {
    for (const { run, costs } of candidates) {
      const cost = run();
      if (now > start + DURATION * WARM_UP) costs.push(cost);
    }
  }
  let floor: number | undefined;
  for (const { name, costs } of candidates) {
    const both = usual(costs.map(({ client, server }) => client + server));
    const client = usual(costs.map((cost) => cost.client));
    const server = usual(costs.map((cost) => cost.server));
    floor ??= both;
    const [bothText, clientText, serverText] = [both, client, server].map((ms) => ms.toPrecision(3));
    row(
      crypto.name,
      group,
      name,
      `${bothText} ms`,
      `${clientText} ms`,
      `${serverText} ms`,
      (both / floor).toFixed(2),
    );
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

row('provider', 'group', '', 'both sides', 'client', 'server', 'of the floor');
row('---', '---', '---', '---', '---', '---', '---');
for (const crypto of [nodeCrypto(), jsCrypto()]) {
  for (const group of ['x25519', 'secp256r1', 'x25519mlkem768'] as const) measure(crypto, group);
}
