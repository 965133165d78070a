/**
 * MemoizedCrypto: a `CryptoProvider` that remembers. Whatever `provider` has once computed from the same bytes is not computed again.
 *
 * A search over faults builds the same two ends thousands of times, from the same seed and so with the same keys; the
 * curves are then worked out once. It also makes the signatures of a provider that salts them the same every time, so
 * that its runs replay. For tests alone: it keeps secrets, and it keeps them for long.
 */
import type { Bytes } from '../core/bytes.ts';
import { copyBytes } from '../core/bytes.ts';
import type { RandomSource } from '../core/random.ts';
import { randomBytes } from '../core/random.ts';
import type {
  AeadAlgorithm,
  AeadKey,
  CryptoProvider,
  Curve,
  Group,
  KeyAnswer,
  KeyExchange,
  MaskKey,
  PublicKey,
  SigningKey,
} from '../crypto/index.ts';

/** What a provider draws for a key pair, and for an answer to one, in bytes. */
const DRAWN_LENGTHS: Readonly<Record<Group, { readonly exchange: number; readonly answer: number }>> = {
  x25519mlkem768: { exchange: 96, answer: 64 },
  x25519: { exchange: 32, answer: 32 },
  secp256r1: { exchange: 32, answer: 32 },
  secp384r1: { exchange: 48, answer: 48 },
};

/** Results kept of one kind; when there are so many, that kind begins anew. */
const MAX_REMEMBERED = 4096;

/** Wraps `provider`; make the certificates with the wrapped one too, for their signatures to be remembered. */
export function memoizedCrypto(provider: CryptoProvider): CryptoProvider {
  const exchanges = new Memory<KeyExchange>();
  const answers = new Memory<KeyAnswer | undefined>();
  const signingKeys = new Memory<SigningKey>();
  const aeadKeys = new Memory<AeadKey>();
  const maskKeys = new Memory<MaskKey>();
  const verdicts = new Memory<boolean>();
  return {
    name: provider.name,
    deterministicSignatures: true,
    hash: (algorithm) => provider.hash(algorithm),
    hmac: (algorithm, key) => provider.hmac(algorithm, key),
    aead: (algorithm: AeadAlgorithm, key: Uint8Array) =>
      aeadKeys.recall(`${algorithm} ${textOf(key)}`, () => provider.aead(algorithm, key)),
    mask: (algorithm: AeadAlgorithm, key: Uint8Array) =>
      maskKeys.recall(`${algorithm} ${textOf(key)}`, () => provider.mask(algorithm, key)),
    counterMode: (key) => provider.counterMode(key),
    keyExchange(group: Group, random: RandomSource): KeyExchange {
      const drawn = randomBytes(random, DRAWN_LENGTHS[group].exchange);
      return exchanges.recall(
        `${group} ${textOf(drawn)}`,
        () => new MemoizedExchange(provider.keyExchange(group, startingWith(drawn, random))),
      );
    },
    answerKeyExchange(group: Group, peerPublicKey: Uint8Array, random: RandomSource): KeyAnswer | undefined {
      const drawn = randomBytes(random, DRAWN_LENGTHS[group].answer);
      const answer = answers.recall(`${group} ${textOf(drawn)} ${textOf(peerPublicKey)}`, () =>
        provider.answerKeyExchange(group, peerPublicKey, startingWith(drawn, random)),
      );
      return answer && { publicKey: copyBytes(answer.publicKey), secret: copyBytes(answer.secret) };
    },
    signingKey: (scalar, curve) =>
      signingKeys.recall(
        `${curve ?? ''} ${textOf(scalar)}`,
        () => new MemoizedSigningKey(provider.signingKey(scalar, curve)),
      ),
    generateScalar: (random, curve) => provider.generateScalar(random, curve),
    verify: (algorithm, publicKey, message, signature) =>
      verdicts.recall([algorithm, keyText(publicKey), textOf(message), textOf(signature)].join(' '), () =>
        provider.verify(algorithm, publicKey, message, signature),
      ),
    warmUp: () => {
      provider.warmUp();
    },
  };
}

class MemoizedExchange implements KeyExchange {
  readonly group: Group;
  readonly publicKey: Bytes;
  readonly #exchange: KeyExchange;
  readonly #secrets = new Memory<Bytes | undefined>();

  constructor(exchange: KeyExchange) {
    this.group = exchange.group;
    this.publicKey = exchange.publicKey;
    this.#exchange = exchange;
  }

  deriveSecret(peerPublicKey: Uint8Array): Bytes | undefined {
    const secret = this.#secrets.recall(textOf(peerPublicKey), () =>
      this.#exchange.deriveSecret(peerPublicKey),
    );
    return secret === undefined ? undefined : copyBytes(secret);
  }
}

class MemoizedSigningKey implements SigningKey {
  readonly curve: Curve;
  readonly publicKey: Bytes;
  readonly #key: SigningKey;
  readonly #signatures = new Memory<Bytes>();

  constructor(key: SigningKey) {
    this.curve = key.curve;
    this.publicKey = key.publicKey;
    this.#key = key;
  }

  sign(message: Uint8Array): Bytes {
    return copyBytes(this.#signatures.recall(textOf(message), () => this.#key.sign(message)));
  }
}

/** Results by what they were computed from. */
class Memory<Result> {
  readonly #known = new Map<string, { readonly result: Result }>();

  recall(key: string, compute: () => Result): Result {
    const known = this.#known.get(key);
    if (known !== undefined) return known.result;
    const result = compute();
    if (this.#known.size >= MAX_REMEMBERED) this.#known.clear();
    this.#known.set(key, { result });
    return result;
  }
}

/** A source that gives out `drawn` once more, then goes on. */
function startingWith(drawn: Bytes, random: RandomSource): RandomSource {
  let isFirst = true;
  return {
    fill(bytes) {
      if (isFirst && bytes.length === drawn.length) bytes.set(drawn);
      else random.fill(bytes);
      isFirst = false;
    },
  };
}

function keyText(key: PublicKey): string {
  return key.type === 'ec'
    ? `${key.curve} ${textOf(key.point)}`
    : `rsa ${textOf(key.modulus)} ${textOf(key.exponent)}`;
}

/** One character a byte: equal bytes, equal text. */
function textOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
