/** Counting: what a stretch of code makes and copies, seen from outside, so that a slow machine counts the same as a fast one. */
import type { AeadKey, CryptoProvider } from '../../src/crypto/index.ts';

/** What is counted. Views share memory with another array; arrays have memory of their own. */
export const COUNTS = [
  'datagrams there',
  'datagrams back',
  'arrays',
  'views',
  'bytes copied',
  'records sealed',
  'records opened',
  'other cipher calls',
  'events',
] as const;

export type Count = (typeof COUNTS)[number];
export type Counts = Record<Count, number>;

export function noCounts(): Counts {
  return Object.fromEntries(COUNTS.map((name) => [name, 0])) as Counts;
}

/** Runs `work`, and adds to `counts` the arrays and views that it makes and the bytes that it copies. */
export function countArrays(counts: Counts, work: () => void): void {
  const Original = globalThis.Uint8Array;
  const prototype = Original.prototype;
  // eslint-disable-next-line @typescript-eslint/unbound-method -- each is called with the array it was called on
  const { set, slice, subarray, copyWithin } = prototype;
  globalThis.Uint8Array = new Proxy(Original, {
    construct(target, args: [ArrayBuffer | number]): object {
      counts[args[0] instanceof ArrayBuffer ? 'views' : 'arrays']++;
      return Reflect.construct(target, args) as object;
    },
  });
  prototype.set = function (this: Uint8Array, source: ArrayLike<number>, offset?: number): void {
    counts['bytes copied'] += source.length;
    set.call(this, source, offset);
  };
  prototype.slice = function (this: Uint8Array, ...args: [number?, number?]) {
    const copy = slice.apply(this, args);
    counts.arrays++;
    counts['bytes copied'] += copy.length;
    return copy;
  };
  prototype.subarray = function (this: Uint8Array, ...args: [number?, number?]) {
    counts.views++;
    return subarray.apply(this, args);
  };
  prototype.copyWithin = function (this: Uint8Array, to: number, start: number, end?: number) {
    counts['bytes copied'] += (end ?? this.length) - start;
    return copyWithin.call(this, to, start, end);
  };
  try {
    work();
  } finally {
    globalThis.Uint8Array = Original;
    Object.assign(prototype, { set, slice, subarray, copyWithin });
  }
}

/** `provider`, its calls counted. */
export function countingProvider(provider: CryptoProvider, counts: () => Counts): CryptoProvider {
  const other = (): void => {
    counts()['other cipher calls']++;
  };
  const aead = (key: AeadKey): AeadKey => ({
    seal(...args) {
      counts()['records sealed']++;
      key.seal(...args);
    },
    open(...args) {
      counts()['records opened']++;
      return key.open(...args);
    },
  });
  return {
    name: provider.name,
    deterministicSignatures: provider.deterministicSignatures,
    hash(algorithm) {
      other();
      return provider.hash(algorithm);
    },
    hmac(algorithm, key) {
      other();
      const made = provider.hmac(algorithm, key);
      return {
        mac(...parts) {
          other();
          return made.mac(...parts);
        },
      };
    },
    aead(algorithm, key) {
      other();
      return aead(provider.aead(algorithm, key));
    },
    mask(algorithm, key) {
      other();
      const made = provider.mask(algorithm, key);
      return {
        compute(...args) {
          other();
          made.compute(...args);
        },
      };
    },
    counterMode(key) {
      other();
      return provider.counterMode(key);
    },
    keyExchange(...args) {
      other();
      return provider.keyExchange(...args);
    },
    answerKeyExchange(...args) {
      other();
      return provider.answerKeyExchange(...args);
    },
    signingKey(...args) {
      other();
      const made = provider.signingKey(...args);
      return {
        curve: made.curve,
        publicKey: made.publicKey,
        sign(message) {
          other();
          return made.sign(message);
        },
      };
    },
    generateScalar: (...args) => provider.generateScalar(...args),
    verify(...args) {
      other();
      return provider.verify(...args);
    },
    warmUp: () => provider.warmUp(),
  };
}
