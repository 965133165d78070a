/** The STUN vectors, typed as far as the tests read them. */
import { readFileSync } from 'node:fs';
import type { Bytes } from '../../src/core/bytes.ts';
import { fromHex } from '../../src/core/text.ts';
import type { StunClass } from '../../src/stun/index.ts';

export interface MessageVector {
  readonly id: string;
  readonly hex: string;
  readonly methodNumber: number;
  readonly class: StunClass;
  readonly transactionId: string;
  readonly attributes: readonly { readonly type: string; readonly offset: number; readonly value: string }[];
  readonly credentials?: {
    readonly mode: string;
    readonly key: string;
    readonly username?: string;
    readonly realm?: string;
    readonly password?: string;
    readonly userhash?: string;
  };
  readonly verified: { readonly sha1?: boolean; readonly sha256?: boolean; readonly fingerprint?: boolean };
  readonly rebuildable: boolean;
  readonly decoded?: Readonly<Record<string, unknown>>;
}

interface StunVectors {
  readonly messages: readonly MessageVector[];
  readonly messageTypes: readonly {
    readonly method: number;
    readonly class: StunClass;
    readonly type: string;
  }[];
  readonly xorAddress: readonly {
    readonly ip: string;
    readonly port: number;
    readonly transactionId: string;
    readonly xor: string;
  }[];
  readonly longTermKeys: readonly {
    readonly username: string;
    readonly realm: string;
    readonly password: string;
    readonly md5: string;
    readonly sha256: string;
    readonly userhash: string;
  }[];
  readonly turnRestCredentials: readonly {
    readonly username: string;
    readonly secret: string;
    readonly password: string;
    readonly passwordSha256: string;
  }[];
  readonly channelData: readonly {
    readonly channel: number;
    readonly data: string;
    readonly udp: string;
    readonly tcp: string;
  }[];
  readonly turnPeerAddressPolicy: {
    readonly deny: readonly string[];
    readonly denyByDefaultConfigurable: readonly string[];
    readonly allow: readonly string[];
  };
  readonly crc32: readonly {
    readonly inputHex: string;
    readonly crc32: string;
    readonly fingerprint: string;
  }[];
  readonly candidatePriority: readonly {
    readonly type: string;
    readonly localPref: number;
    readonly component: number;
    readonly priority: number;
  }[];
  readonly pairPriority: readonly { readonly G: number; readonly D: number; readonly priority: string }[];
  readonly roleConflict: {
    readonly cases: readonly {
      readonly local: 'controlling' | 'controlled';
      readonly localTie: string;
      readonly request: 'ICE-CONTROLLING' | 'ICE-CONTROLLED';
      readonly requestTie: string;
      readonly outcome: string;
    }[];
  };
  readonly malformed: {
    readonly iceMalformedKey: string;
    readonly turnKey: string;
    readonly baseline: string;
    readonly cases: readonly {
      readonly id: string;
      readonly hex: string;
      readonly expect: string;
      readonly why: string;
    }[];
  };
}

const file = new URL('../vectors/stun.json', import.meta.url);

export const vectors = JSON.parse(readFileSync(file, 'utf8')) as StunVectors;

/** Hexadecimal that is known to be well-formed. */
export function hex(text: string): Bytes {
  const bytes = fromHex(text.startsWith('0x') ? text.slice(2) : text);
  if (bytes === undefined) throw new TypeError(`not hexadecimal: ${text}`);
  return bytes;
}

export function messageVector(id: string): MessageVector {
  const vector = vectors.messages.find((message) => message.id === id);
  if (vector === undefined) throw new RangeError(`no vector ${id}`);
  return vector;
}
