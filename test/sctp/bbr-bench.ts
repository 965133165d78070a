/** A path for a congestion controller alone: rounds of packets and acknowledgements, with neither wire nor association. */
import { Bbr } from '../../src/sctp/index.ts';

export const MTU = 1000;

/** A path of `rate` bytes a millisecond; each `round` sends a window and hears of all of it, in ten acknowledgements. */
export class Bench {
  now = 1000;
  delivered = 0;
  rate: number;
  roundTrip: number;
  /** Share lost. */
  loss = 0;
  /** Milliseconds every packet waits in a queue of others. */
  wait = 0;
  appLimited = false;
  /** Called after each acknowledgement. */
  onStep: () => void = () => undefined;
  readonly cc = new Bbr({ mtu: MTU, initialWindow: 10 * MTU });

  constructor(rate: number, roundTrip: number) {
    this.rate = rate;
    this.roundTrip = roundTrip;
  }

  get phase(): string {
    return String(this.cc.inspect()['phase']);
  }

  figure(name: 'bandwidth' | 'roundTrip' | 'cap'): number {
    return Number(this.cc.inspect()[name]);
  }

  /** One round trip: what goes out is the pace's or the window's, what comes back the path's. It ends where `stopAt` begins. */
  round(bytes?: number, stopAt?: string): void {
    const { cc } = this;
    const paced = cc.pacingRate === Infinity ? Infinity : cc.pacingRate * this.roundTrip;
    const sent = bytes ?? Math.min(cc.window, paced);
    const duration = Math.max(this.roundTrip, sent / this.rate) + this.wait;
    const prior = this.delivered;
    const lost = sent * this.loss;
    if (lost > 0) {
      cc.onLost({ now: this.now, lostBytes: lost, inFlight: sent - lost, startsRecovery: true });
    }
    const ackedBytes = (sent - lost) / 10;
    for (let i = 1; i <= 10; i++) {
      this.now += duration / 10;
      this.delivered += ackedBytes;
      cc.onAcknowledged({
        now: this.now,
        ackedBytes,
        inFlight: sent - ackedBytes * i,
        delivered: this.delivered,
        priorDelivered: prior,
        deliveryRate: (ackedBytes * 10) / duration,
        isAppLimited: this.appLimited,
        roundTripTime: duration,
        advanced: true,
        recovering: false,
        windowLimited: false,
      });
      this.onStep();
      if (this.phase === stopAt) return;
    }
  }

  /** Rounds until the phase is entered. */
  reach(phase: string, limit = 500): number {
    for (let rounds = 0; rounds < limit; rounds++) {
      if (this.phase === phase) return rounds;
      this.round(undefined, phase);
    }
    throw new Error(`${phase} not reached: ${JSON.stringify(this.cc.inspect())}`);
  }
}
