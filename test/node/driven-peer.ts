/** Connections on drivers over real loopback sockets, for the tests of this room. */
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import { selfSignedCertificate } from '../../src/dtls/index.ts';
import { UdpDriver, type UdpDriverOptions } from '../../src/node/index.ts';
import type { RtcOptions } from '../../src/rtc.ts';
import { Rtc, type RtcEvent } from '../../src/rtc.ts';

export const crypto = nodeCrypto();
export const certificate = selfSignedCertificate({ crypto });

const drivers: UdpDriver[] = [];

/** A driver that `closeDrivers` closes. */
export async function listen(options: UdpDriverOptions = {}): Promise<UdpDriver> {
  const driver = await UdpDriver.listen(options);
  drivers.push(driver);
  return driver;
}

/** For `afterEach`. What a `close()` rejects with has been looked at by the test that wanted it. */
export async function closeDrivers(): Promise<void> {
  await Promise.allSettled(drivers.splice(0).map((driver) => driver.close()));
}

/** A connection on `driver` whose events can be waited for. */
export class DrivenPeer {
  readonly rtc: Rtc;
  readonly events: RtcEvent[] = [];
  onEvent: (event: RtcEvent) => unknown = () => undefined;
  #waiting: { found: (event: RtcEvent) => boolean; resolve: () => void }[] = [];

  constructor(driver: UdpDriver, options: Partial<RtcOptions> = {}) {
    this.rtc = new Rtc({ certificate, crypto, ...options });
    driver.add(this.rtc, (event) => {
      this.events.push(event);
      for (const { found, resolve } of this.#waiting) if (found(event)) resolve();
      return this.onEvent(event);
    });
  }

  /** Resolves once an event of this type has happened. */
  until(type: RtcEvent['type']): Promise<void> {
    if (this.events.some((event) => event.type === type)) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ found: (event) => event.type === type, resolve }));
  }

  /** Why it has ended, if it has. */
  get ended(): string | undefined {
    const last = this.events.findLast((event) => event.type === 'closed');
    return last?.reason.code;
  }

  /** Sends on the channel that has opened first. */
  send(data: string): void {
    for (const event of this.events) {
      if (event.type === 'channelopen' || event.type === 'datachannel') {
        event.channel.send(data);
        return;
      }
    }
  }

  received(): unknown[] {
    return this.events.flatMap((event) => (event.type === 'message' ? [event.data] : []));
  }
}

/** `a` offers a channel, `z` answers; both are connected when this resolves. */
export async function connect(a: DrivenPeer, z: DrivenPeer): Promise<void> {
  const draft = a.rtc.negotiation();
  draft.addChannel('chat');
  const offer = draft.offer();
  offer.accept(z.rtc.receiveOffer(offer.sdp).answer());
  await Promise.all([a.until('channelopen'), z.until('datachannel')]);
}
