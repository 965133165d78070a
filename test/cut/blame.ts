/**
 * What one of our ends has said that no end may say. DTLS lets nothing through that was not sent by the other end, so
 * whatever SCTP drops as malformed or invalid was made by us.
 */
import type { Rtc } from '../../src/index.ts';

const BLAMES =
  /^(bad|malformed|invalid)-|^(packet-too-short|unknown-chunk|wrong-port|message-out-of-turn|tsn-out-of-window)$/;

/** A sentence about nonsense that `rtc` has received, `undefined` if there was none. */
export function nonsenseHeard(rtc: Rtc): string | undefined {
  const { counters } = rtc.inspect().sctp;
  const heard = Object.entries(counters).filter(([name, count]) => count > 0 && BLAMES.test(name));
  return heard.length === 0
    ? undefined
    : `its peer said nonsense: ${heard.map((entry) => entry.join(' ')).join(', ')}`;
}
