/** One line for people about a datagram, by the protocol its first byte names. Never throws, whatever the bytes are. */
import { datagramKind } from '../../transport/index.ts';
import { dtlsSummary } from './dtls-summary.ts';
import { stunSummary } from './stun-summary.ts';

export function datagramSummary(data: Uint8Array): string {
  switch (datagramKind(data)) {
    case 'stun':
      return stunSummary(data);
    case 'dtls':
      return dtlsSummary(data);
    case 'rtp':
      return `RTP or RTCP, ${data.length} bytes`;
    case 'unknown':
      return `unknown, ${data.length} bytes`;
  }
}
