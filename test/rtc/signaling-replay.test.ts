/** Negotiations with media, recorded and done again: the same descriptions and events, byte for byte. */
import { describe, expect, it } from 'vitest';
import type { Rtc } from '../../src/index.ts';
import { describeTrace, formatTrace, recordRtc, replay } from '../../src/trace/index.ts';
import { certificates } from './pair.ts';
import { events, exchange, makeSignaller, takeAll } from './signallers.ts';

interface Recording {
  readonly rtc: Rtc;
  /** The trace, read back, does again what was recorded. */
  readonly again: () => void;
  readonly text: () => string;
}

function record(options: Parameters<typeof recordRtc>[0] = {}): Recording {
  const { rtc, recorder } = recordRtc({ seed: 7, ...options });
  rtc.addLocalCandidate({ type: 'host', protocol: 'udp', address: '192.0.2.7', port: 5000 });
  const text = (): string => formatTrace(recorder.trace);
  return {
    rtc,
    text,
    again: () => {
      const outcome = replay(text());
      expect(outcome.identical ? '' : outcome.divergence.message).toBe('');
      expect(outcome.rtc.inspect().negotiation).toEqual(rtc.inspect().negotiation);
    },
  };
}

function makePeer(): Rtc {
  return makeSignaller({ certificate: certificates[1] }, 2);
}

describe('a recorded negotiation', () => {
  it('of our offers: added, changed and stopped media, a restart, a rollback', () => {
    const { rtc, again } = record();
    const peer = makePeer();
    const draft = rtc.negotiation();
    const audio = draft.addMedia('audio', { direction: 'sendonly', streams: ['s'] });
    const video = draft.addMedia('video', { encodings: [{ rid: 'h' }, { rid: 'l' }] });
    draft.addChannel('chat');
    exchange(rtc, peer, draft, takeAll);
    events(rtc);
    const second = rtc.negotiation();
    second.setDirection(audio, 'sendrecv');
    second.setCodecs(video, [{ mimeType: 'video/VP8', clockRate: 90_000, rtx: true }]);
    second.restartIce();
    second.offer().rollback();
    events(rtc);
    const third = rtc.negotiation();
    third.stop(video);
    exchange(rtc, peer, third, takeAll);
    events(rtc);
    again();
  });

  it('of the peer’s offers: choices, media that is spoken of before its event is told, an end', () => {
    const { rtc, again } = record();
    const peer = makePeer();
    const draft = peer.negotiation();
    const audio = draft.addMedia('audio');
    draft.addMedia('video', { encodings: [{ rid: 'h' }, { rid: 'l' }] });
    draft.addMedia('video');
    exchange(peer, rtc, draft, ({ media: [first, second, third] }) => {
      if (first === undefined || second === undefined) throw new Error('no sections');
      first.direction = 'recvonly';
      second.direction = 'recvonly';
      second.setCodecs([{ mimeType: 'video/VP8', clockRate: 90_000 }]);
      second.setEncodings(['h']);
      third?.reject();
    });
    const later = rtc.negotiation();
    const [, theirs] = rtc.media;
    if (theirs !== undefined) later.setDirection(theirs, 'sendrecv');
    exchange(rtc, peer, later, takeAll);
    const ending = peer.negotiation();
    ending.stop(audio);
    exchange(peer, rtc, ending);
    events(rtc);
    again();
  });

  it('of written, replaced and provisional descriptions', () => {
    const { rtc, again } = record();
    const peer = makePeer();
    const draft = rtc.negotiation();
    draft.addMedia('audio');
    draft.write();
    draft.write().commit();
    const second = rtc.negotiation();
    second.addMedia('video');
    const written = second.write();
    rtc.addLocalCandidate({ type: 'host', protocol: 'udp', address: '192.0.2.8', port: 5000 });
    const pending = written.commit();
    const received = peer.receiveOffer(pending.sdp);
    pending.acceptProvisional(received.provisionalAnswer());
    takeAll(received);
    pending.accept(received.answer());
    events(rtc);
    const theirs = peer.negotiation();
    theirs.addMedia('video');
    const offered = theirs.offer();
    const applied = rtc.receiveOffer(offered.sdp);
    applied.apply();
    applied.rollback();
    const again2 = rtc.receiveOffer(offered.sdp);
    again2.apply();
    offered.acceptProvisional(again2.provisionalAnswer());
    takeAll(again2);
    offered.accept(again2.answer());
    events(rtc);
    again();
  });

  it('of a glare, and of the drafts that wait', () => {
    const { rtc, again } = record({ polite: true });
    const peer = makePeer();
    const draft = rtc.negotiation();
    draft.addMedia('audio');
    draft.offer();
    const waiting = rtc.negotiation();
    waiting.addMedia('video');
    expect(() => waiting.offer()).toThrow();
    const theirs = peer.negotiation();
    theirs.addMedia('audio');
    const offered = theirs.offer();
    offered.accept(rtc.receiveOffer(offered.sdp).answer());
    expect(events(rtc).map(({ type }) => type)).toContain('negotiationneeded');
    exchange(rtc, peer, waiting, takeAll);
    events(rtc);
    again();
  });

  it('reads well', () => {
    const { rtc, text } = record();
    const peer = makePeer();
    const draft = rtc.negotiation();
    const audio = draft.addMedia('audio');
    exchange(rtc, peer, draft, takeAll);
    events(rtc);
    const second = rtc.negotiation();
    second.stop(audio);
    exchange(rtc, peer, second);
    events(rtc);
    const outcome = replay(text());
    expect(outcome.identical).toBe(true);
    const lines = describeTrace({
      header: { type: 'header', format: 'sansrtc-trace', version: 1 },
      entries: [],
    });
    expect(lines).toContain('sansrtc trace');
    expect(text()).toContain('"method":"addMedia"');
    expect(text()).toContain('"type":"mediachanged","media":{"index":0,"kind":"audio","stopped":true}');
  });
});
