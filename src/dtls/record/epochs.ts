/** The epochs of a connection: what it writes with, and what it can read. */
import type { Bytes } from '../../core/bytes.ts';
import type { ReadEpoch12 } from './epoch12.ts';
import type { ReadEpoch13 } from './epoch13.ts';
import type { WriteEpoch } from './write-epoch.ts';
import { PlaintextWriteEpoch } from './write-epoch.ts';

/** The epochs of one connection. */
export interface Epochs {
  /** Epoch 0; its counter goes on, because flights that start in plaintext may be sent again. */
  readonly plaintext: PlaintextWriteEpoch;
  /** What is written with now, once it is protected. */
  write: WriteEpoch | undefined;
  /** DTLS 1.2's epoch 1, once its keys are known. */
  read12: ReadEpoch12 | undefined;
  /** Our connection id, in the peer's protected records; `undefined` or empty: there is none. */
  connectionId: Bytes | undefined;
  /** Those of DTLS 1.3 that are still of use, the newest first. */
  read13: readonly ReadEpoch13[];
}

/** Before there are keys: plaintext alone. */
export function initialEpochs(): Epochs {
  return {
    plaintext: new PlaintextWriteEpoch(),
    write: undefined,
    read12: undefined,
    connectionId: undefined,
    read13: [],
  };
}

/** True once a protected record of the peer's has proved authentic: from then on nothing in plaintext is its word. */
export function hasAuthenticated(epochs: Epochs): boolean {
  if (epochs.read12 !== undefined) return epochs.read12.window.highest >= 0;
  return epochs.read13.some(({ window }) => window.highest >= 0);
}
