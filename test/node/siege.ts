/** Everything a stranger or a hostile peer may try on a server process (programs/besieged.ts), as often as a test wants it. */
import { createSocket, type Socket } from 'node:dgram';
import { connect as dial } from 'node:net';
import { Rtc, SeededRandom } from '../../src/index.ts';
import type { DataChannel } from '../../src/index.ts';
import type { TransportAddress } from '../../src/core/address.ts';
import type { UdpDriver } from '../../src/node/index.ts';
import { certificate, crypto, listen } from './driven-peer.ts';
import type { BesiegedReport } from './programs/besieged.ts';
import { bundled, Program, sleep } from './program.ts';

/** One that behaves, and must not notice anything. */
export interface Guest {
  readonly driver: UdpDriver;
  readonly rtc: Rtc;
  readonly channel: DataChannel;
  readonly heard: unknown[];
  ended: string | undefined;
  /** Sends from the guest's own socket, as somebody who forges its address would seem to. */
  forge(data: Uint8Array): void;
}

export class Siege {
  readonly server: Program;
  readonly udp: TransportAddress;
  readonly tcp: TransportAddress;
  readonly #random = new SeededRandom(11);
  #words = 0;

  static async begin(): Promise<Siege> {
    const file = await bundled(new URL('programs/besieged.ts', import.meta.url));
    const server = await Program.start(file, [], { execArgv: ['--expose-gc'] });
    const { udp, tcp } = await server.call<{ udp: TransportAddress; tcp: TransportAddress }>('addresses');
    return new Siege(server, udp, tcp);
  }

  private constructor(server: Program, udp: TransportAddress, tcp: TransportAddress) {
    this.server = server;
    this.udp = udp;
    this.tcp = tcp;
  }

  report(): Promise<BesiegedReport> {
    return this.server.call('report');
  }

  /** Connects; `change` is done to the offer before it is posted. */
  async join(change: (offer: string) => string = (offer) => offer): Promise<Guest> {
    let socket: Socket | undefined;
    const driver = await listen({ createSocket: (options) => (socket = createSocket(options)) });
    const rtc = new Rtc({ certificate, crypto });
    const heard: unknown[] = [];
    const draft = rtc.negotiation();
    const channel = draft.addChannel('words');
    const { udp } = this;
    const guest: Guest = {
      driver,
      rtc,
      channel,
      heard,
      ended: undefined,
      forge: (data) => socket?.send(data, udp.port, udp.address),
    };
    driver.add(rtc, (event) => {
      if (event.type === 'message') heard.push(event.data);
      if (event.type === 'closed') guest.ended = event.reason.code;
    });
    const offer = draft.offer();
    offer.accept(await this.server.call<string>('answer', change(offer.sdp)));
    while (channel.readyState === 'connecting') await sleep(2);
    return guest;
  }

  /** True if what the guest says comes back. */
  async isEchoed(guest: Guest): Promise<boolean> {
    const word = `word ${String(this.#words++)}`;
    guest.channel.send(word);
    for (let wait = 0; wait < 10_000 && guest.ended === undefined; wait += 5) {
      if (guest.heard.includes(word)) return true;
      await sleep(5);
    }
    return false;
  }

  async refusedOffers(count: number): Promise<number> {
    const offer = await this.#offer();
    return this.server.call(
      'refuse',
      Array.from({ length: count }, (_, i) => hostile(offer, i)),
    );
  }

  async forgottenOffers(count: number): Promise<void> {
    const offer = await this.#offer();
    await this.server.call(
      'forget',
      Array.from({ length: count }, (_, i) => hostile(offer, i)),
    );
  }

  /** Offers that are fine, from peers that are never heard of again. */
  async vanishing(count: number): Promise<void> {
    for (let i = 0; i < count; i++) await this.server.call('answer', await this.#offer());
  }

  async badParameters(): Promise<void> {
    await this.server.call('candidates', [
      { protocol: 'udp' },
      {},
      5,
      null,
      { candidate: null },
      { candidate: 'candidate:1 1 udp 1 not-an-address 0 typ host' },
      { type: 'host', protocol: 'udp', address: '127.0.0.1', port: -1 },
      'candidate:1 1 udp 2130706431 169.254.169.254 80 typ host',
    ]);
    const fingerprints = [{ algorithm: 'sha-256', value: 'AA' }];
    await this.server.call('starts', [
      {},
      { ice: { usernameFragment: 'ab=d', password: 'x' } },
      { ice: {}, fingerprints, iceRole: 'controlling', dtlsRole: 'client' },
      { ice: { usernameFragment: 'abcd', password: 'p'.repeat(24) }, fingerprints, dtlsRole: 'neither' },
      null,
    ]);
  }

  /** Noise of every first byte, and a check with a username that is none of ours. */
  async noise(count: number): Promise<void> {
    const socket = createSocket('udp4');
    for (let i = 0; i < count; i++) {
      const data = new Uint8Array(1 + (i % 200));
      this.#random.fill(data);
      data[0] = i & 0xff;
      socket.send(data, this.udp.port, this.udp.address);
      if (i % 50 === 49) await sleep(1);
    }
    await sleep(20);
    await new Promise<void>((resolve) => socket.close(resolve));
    const stream = dial(this.tcp.port, this.tcp.address);
    stream.on('error', () => undefined);
    const frames = new Uint8Array(2000);
    this.#random.fill(frames);
    frames.set([0, 0, 0, 0, 0, 1, 22]);
    stream.write(frames);
    await sleep(20);
    stream.destroy();
  }

  /** A5: checks that are authentic for a connection of the attacker's, from the address of the guest. */
  async spoofedChecks(guest: Guest): Promise<void> {
    const attacker = new Rtc({ certificate, crypto });
    attacker.addLocalCandidate({ type: 'host', protocol: 'udp', address: '127.0.0.1', port: 9 });
    const draft = attacker.negotiation();
    draft.addChannel('x');
    const offer = draft.offer();
    offer.accept(await this.server.call<string>('answer', offer.sdp));
    for (let now = 0; now < 1000; now += 50) {
      attacker.handleInput({ type: 'timeout', now });
      for (let output = attacker.pollOutput(); output.type !== 'timeout'; output = attacker.pollOutput()) {
        if (output.type === 'transmit') guest.forge(output.data);
      }
    }
  }

  /** A peer that makes the listener throw, wants messages of 100 bytes and says more, and leaves without a word. */
  async rudePeer(): Promise<void> {
    const peer = await this.join((offer) =>
      offer.replace(/a=max-message-size:\d+/, 'a=max-message-size:100'),
    );
    peer.channel.send('throw');
    peer.channel.send('x'.repeat(200));
    peer.channel.send('throw');
    await this.isEchoed(peer);
    await peer.driver.close();
  }

  async #offer(): Promise<string> {
    const rtc = new Rtc({ certificate, crypto });
    rtc.addLocalCandidate({ type: 'host', protocol: 'udp', address: '127.0.0.1', port: 9 });
    const draft = rtc.negotiation();
    draft.addChannel('x');
    const { sdp } = draft.offer();
    rtc.close();
    return Promise.resolve(sdp);
  }
}

/** An offer that must be refused, one way or another. */
function hostile(offer: string, variety: number): string {
  const ways = [
    '',
    'v=0',
    '\0'.repeat(1000),
    offer.replace(/a=ice-pwd:.*\r\n/, ''),
    offer.replace(/a=fingerprint:.*\r\n/, ''),
    offer.replace('a=setup:actpass', 'a=setup:holdconn'),
    offer.replace(/a=fingerprint:sha-256/, 'a=fingerprint:constructor'),
    offer.replace(/a=ice-ufrag:.*\r\n/, 'a=ice-ufrag:x\r\n'),
    offer.slice(0, 80),
    `${offer}m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n`.repeat(300),
  ];
  return ways[variety % ways.length] ?? '';
}
