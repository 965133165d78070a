/** A crowd of clients, each with a UDP socket of its own, as from as many machines. */
import { createSocket } from 'node:dgram';
import { Rtc, SeededRandom, selfSignedCertificate } from 'sansrtc';
import { nodeCrypto } from 'sansrtc/crypto/node';
import { UdpDriver } from 'sansrtc/node';

const crypto = nodeCrypto();
const certificate = selfSignedCertificate({ crypto });

/** The crowd shares one core: its sockets need little. */
const BUFFER_BYTES = 64 * 1024;

export class Client {
  #rtc = new Rtc({ certificate, crypto });
  #driver;

  /** @param loss share of datagrams lost, each way */
  static async open(loss, seed) {
    const driver = await UdpDriver.listen({
      recvBufferSize: BUFFER_BYTES,
      sendBufferSize: BUFFER_BYTES,
      createSocket: loss > 0 ? lossySockets(loss, seed) : createSocket,
    });
    return new Client(driver);
  }

  constructor(driver) {
    this.#driver = driver;
  }

  /**
   * Resolves when a message has come back; rejects when the connection ends first, as it does by its own deadlines.
   * @param signal takes the offer, promises the answer
   */
  async join(signal) {
    const draft = this.#rtc.negotiation();
    const echoed = new Promise((resolve, reject) => {
      this.#driver.add(this.#rtc, (event) => {
        if (event.type === 'channelopen') event.channel.send('hello');
        else if (event.type === 'message') resolve();
        else if (event.type === 'closed') reject(new Error(event.reason.message));
      });
    });
    draft.addChannel('echo');
    const offer = draft.offer();
    offer.accept(await signal(offer.sdp));
    await echoed;
  }

  async leave() {
    await this.#driver.close();
  }

  inspect() {
    return this.#rtc.inspect();
  }
}

/** Sockets that lose datagrams, going out and coming in. */
function lossySockets(loss, seed) {
  const random = new SeededRandom(seed);
  const byte = new Uint8Array(2);
  const lost = () => {
    random.fill(byte);
    return (byte[0] * 256 + byte[1]) / 65536 < loss;
  };
  return (options) => {
    const socket = createSocket(options);
    const { send, emit } = socket;
    socket.send = (...all) => {
      if (lost()) process.nextTick(all.at(-1), null);
      else send.apply(socket, all);
    };
    socket.emit = (name, ...all) => (name === 'message' && lost() ? true : emit.call(socket, name, ...all));
    return socket;
  };
}
