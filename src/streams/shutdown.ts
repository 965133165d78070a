/** The graceful end of a connection, as a promise. */
import { having } from '../core/options.ts';
import type { Rtc, RtcEvent } from '../rtc.ts';
import { closedError, isDelivered } from './errors.ts';
import type { WaitOptions } from './options.ts';
import { checkWait, WAIT_RULES } from './options.ts';
import { wait } from './wait.ts';
import { watchConnection } from './watch.ts';

const rtcRule = having('an Rtc', ['pollOutput', 'shutdown']);

/**
 * Ends a connection gracefully (`rtc.shutdown()`), and resolves once all that was sent has been delivered and both ends have closed;
 * messages that wait in `send` go first. At once where the connection is over already, for there is nothing to deliver.
 *
 * Rejects with `ERR_CLOSED`, whose `failure` says why not all was delivered: the peer closed at once, the path is gone, the gate
 * `shutdown`. With `ERR_TIMEOUT` or the signal's reason it closes the connection at once (`rtc.close()`): either way it is over
 * when the promise is settled.
 */
export async function shutdown(rtc: Rtc, options: WaitOptions = {}): Promise<void> {
  rtcRule(rtc, 'rtc');
  if (rtc.signalingState === 'closed') return;
  const watch = watchConnection(rtc);
  checkWait('shutdown', options, WAIT_RULES);
  let hasBegun = false;
  let hadNothing = false;
  const judge = (event?: RtcEvent): boolean => {
    if (event?.type === 'closed') {
      if (hadNothing || isDelivered(event.reason)) return true;
      throw closedError('not all that was sent has been delivered', event.reason);
    }
    if (!hasBegun && !watch.isSending) {
      hasBegun = true;
      rtc.shutdown();
      // What has not been set up yet is over at once, and had nothing to deliver.
      hadNothing = watch.isOver;
    }
    return false;
  };
  await wait(
    {
      what: 'the graceful end of the connection',
      source: watch,
      judge,
      progress: () => rtc.bufferedBytes,
      give: () => rtc.close(),
    },
    options,
  );
}
