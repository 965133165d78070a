/** The port to an SCTP association: what data channels need of it, and no more; a test's fake has this shape as well. */
import type { SctpAssociation } from '../sctp/index.ts';

export type SctpPort = Pick<SctpAssociation, 'retainsMessages'> &
  Readonly<
    Pick<
      SctpAssociation,
      | 'state'
      | 'outboundStreams'
      | 'maxMessageSize'
      | 'send'
      | 'resetStreams'
      | 'discard'
      | 'ignore'
      | 'bufferedAmount'
      | 'setBufferedAmountLowThreshold'
      | 'setPriority'
      | 'release'
      | 'peerSilentFor'
    >
  >;

/**
 * False once the association is over or on its way down, while events from before may still come out of it: it takes
 * nothing more, and its `closed` event will close the channels.
 */
export function acceptsData(port: SctpPort): boolean {
  return port.state !== 'closed' && !port.state.startsWith('shutdown');
}
