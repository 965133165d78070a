/** GatherWaits: who waits for a connection's gathering to be complete. */
import type { Rtc, RtcEvent } from '../rtc.ts';

interface Wait {
  readonly ended: Promise<void>;
  readonly end: () => void;
}

/** The waits of one driver. */
export class GatherWaits {
  readonly #waits = new Map<Rtc, Wait>();

  /** Resolves with the next event that says that the gathering is complete, or the connection closed. Never rejects. */
  until(rtc: Rtc): Promise<void> {
    const known = this.#waits.get(rtc);
    if (known !== undefined) return known.ended;
    let end: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    this.#waits.set(rtc, { ended, end });
    return ended;
  }

  noteEvent(rtc: Rtc, event: RtcEvent): void {
    const isComplete = event.type === 'icegatheringstatechange' && event.state === 'complete';
    if (!isComplete && event.type !== 'closed') return;
    this.#waits.get(rtc)?.end();
    this.#waits.delete(rtc);
  }

  /** Nothing is gathered any more. */
  end(): void {
    for (const { end } of this.#waits.values()) end();
    this.#waits.clear();
  }
}
