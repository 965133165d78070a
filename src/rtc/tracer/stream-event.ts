/** Events of media's streams as plain data: a stream by the names it has on the wire, a packet by its bytes and what is known of it. */
import type { Bytes } from '../../core/bytes.ts';
import { copyBytes } from '../../core/bytes.ts';
import type { MediaStreamEvent, RtpStream } from '../../media/index.ts';
import type { RtcEvent } from '../contract.ts';

/** What a trace says of an event of media's streams besides its type. */
export interface TraceStreamEvent {
  /** The members that its type has, bytes among them. */
  readonly details: Readonly<Record<string, unknown>>;
  /** The whole packet of an `rtp`. */
  readonly data?: Bytes;
}

const TYPES: Readonly<Record<MediaStreamEvent['type'], true>> = {
  rtp: true,
  rtpstreamstart: true,
  rtpstreampause: true,
  rtpstreamresume: true,
  rtpstreamend: true,
  keyframetimeout: true,
  keyframerequest: true,
  senderreport: true,
  packetresults: true,
  remb: true,
  dtmf: true,
  rtcp: true,
};

/** True for an event that media's streams tell. */
export function isStreamEvent(event: RtcEvent): event is MediaStreamEvent {
  return event.type in TYPES;
}

/** A copy: nothing of it is shared with the connection. */
export function traceStreamEvent(event: MediaStreamEvent): TraceStreamEvent {
  switch (event.type) {
    case 'rtp': {
      const { stream, packet, sequence, time, receivedAt, isRecovered } = event;
      return {
        details: { ...streamOf(stream), sequence, time, receivedAt, isRecovered },
        data: copyBytes(packet.bytes),
      };
    }
    case 'rtpstreamstart':
    case 'rtpstreamresume':
      return { details: streamOf(event.stream) };
    case 'rtpstreampause':
    case 'rtpstreamend':
    case 'keyframetimeout':
      return { details: { ...streamOf(event.stream), failure: { ...event.failure } } };
    case 'senderreport':
      return { details: { ...streamOf(event.stream), ntpTime: event.ntpTime, time: event.time } };
    case 'dtmf':
      return { details: { ...streamOf(event.stream), tone: event.tone, duration: event.duration } };
    case 'packetresults':
      return { details: { results: event.results.map((result) => ({ ...result })) } };
    case 'rtcp':
      return { details: { packet: { ...event.packet, data: copyBytes(event.packet.data) } } };
    case 'keyframerequest': {
      const { mediaId, rid, reason } = event;
      return { details: { mediaId, ...(rid === undefined ? {} : { rid }), reason } };
    }
    case 'remb':
      return { details: { bitrate: event.bitrate, ssrcs: [...event.ssrcs] } };
  }
}

function streamOf({ mediaId, rid, ssrc }: RtpStream): Readonly<Record<string, unknown>> {
  return { mediaId, ...(rid === undefined ? {} : { rid }), ssrc };
}
