/** Session12: the steps of a DTLS 1.2 handshake that both roles take, which are master secret, keys and Finished. */
import type { Bytes } from '../../core/bytes.ts';
import { NO_BYTES, concatBytes, equalConstantTime } from '../../core/bytes.ts';
import type { CipherSuite } from '../cipher-suites.ts';
import type { Exporter, Handshake } from '../handshake.ts';
import type { HandshakeMessage } from '../messages/handshake.ts';
import { HandshakeType } from '../messages/handshake.ts';
import { PlainReadEpoch12, WriteEpoch12 } from '../record/epoch12.ts';
import { ReadEpoch12WithId, WriteEpoch12WithId } from '../record/epoch12-with-id.ts';
import type { WriteEpoch } from '../record/write-epoch.ts';
import { MasterSecret } from './schedule.ts';

/** The first and only protected epoch: there is no renegotiation. */
const PROTECTED_EPOCH = 1;

/** What the hellos have negotiated. */
export interface Hellos12 {
  readonly suite: CipherSuite;
  readonly serverRandom: Bytes;
  /** RFC 7627: agreed on by both. */
  readonly extendedMasterSecret: boolean;
}

/** A master secret and the epoch of our writing, which waits for our Finished. */
export class Session12 implements Exporter {
  readonly #handshake: Handshake;
  readonly #serverRandom: Bytes;
  readonly #master: MasterSecret;
  readonly #write: WriteEpoch;

  /**
   * Once ClientKeyExchange is in the transcript: derives everything, and reading starts at once.
   * @param premasterSecret overwritten with zeros.
   */
  constructor(handshake: Handshake, hellos: Hellos12, premasterSecret: Uint8Array) {
    const { crypto, transcript, role, clientRandom } = handshake;
    const { suite, serverRandom, extendedMasterSecret } = hellos;
    this.#handshake = handshake;
    this.#serverRandom = serverRandom;
    const label = extendedMasterSecret ? 'extended master secret' : 'master secret';
    const seed = extendedMasterSecret ? transcript.hash() : concatBytes(clientRandom, serverRandom);
    this.#master = new MasterSecret(crypto, suite, premasterSecret, label, seed, handshake);
    const { client, server } = this.#master.expand(clientRandom, serverRandom);
    const [ours, theirs] = role === 'client' ? [client, server] : [server, client];
    const { local = NO_BYTES, remote = NO_BYTES } = handshake.connectionIds ?? {};
    handshake.epochs.read12 =
      local.length > 0
        ? new ReadEpoch12WithId(crypto, PROTECTED_EPOCH, theirs, local)
        : new PlainReadEpoch12(crypto, PROTECTED_EPOCH, theirs);
    this.#write =
      remote.length > 0
        ? new WriteEpoch12WithId(crypto, PROTECTED_EPOCH, ours, remote)
        : new WriteEpoch12(crypto, PROTECTED_EPOCH, ours);
    client.key.fill(0);
    server.key.fill(0);
    handshake.exporter = this;
  }

  export(label: string, length: number): Bytes {
    return this.#master.export(label, this.#handshake.clientRandom, this.#serverRandom, length);
  }

  /** Ends the flight with ChangeCipherSpec and Finished; from here on everything is written protected. */
  sayFinished(): void {
    const { role, transcript, flight, epochs } = this.#handshake;
    const verifyData = this.#master.verifyData(role, transcript.hash());
    flight.addChangeCipherSpec(epochs.plaintext);
    this.#handshake.say(HandshakeType.finished, verifyData, this.#write);
    epochs.write = this.#write;
  }

  /** True if the peer has seen the same handshake and has the same keys (RFC 5246 §7.4.9). */
  matchesFinished(message: HandshakeMessage): boolean {
    const { role, transcript } = this.#handshake;
    const sender = role === 'client' ? 'server' : 'client';
    return equalConstantTime(message.body, this.#master.verifyData(sender, transcript.hash()));
  }
}
