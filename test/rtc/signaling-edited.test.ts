/** Descriptions of ours that their caller has edited before they are made: what is taken counts, what is refused changes nothing. */
import { describe, expect, it } from 'vitest';
import { SdpRefusal } from '../../src/index.ts';
import { rtpMedia } from '../../src/media/index.ts';
import { formatTrace, recordRtc, replay } from '../../src/trace/index.ts';
import { events, makeSignaller, makeSignallers, shown, takeAll } from './signallers.ts';

/** Without the lines that a pattern finds. */
function without(sdp: string, pattern: RegExp): string {
  const edited = sdp.replaceAll(pattern, '');
  expect(edited).not.toBe(sdp);
  return edited;
}

/** No codec but the first of the section. */
function firstCodecAlone(sdp: string): string {
  const [, first = '', rest = ''] = /^m=video \d+ \S+ (\d+) (.*)$/m.exec(sdp) ?? [];
  const others = rest.split(' ').join('|');
  const kept = sdp.replace(/^(m=video \d+ \S+) .*$/m, `$1 ${first}`);
  return without(kept, new RegExp(`^a=(?:rtpmap|fmtp|rtcp-fb):(?:${others}) .*\\r\\n`, 'gm'));
}

describe('an edited offer', () => {
  it('is what is out: the answer is measured against what it says', () => {
    const { a, b } = makeSignallers();
    const draft = a.negotiation();
    const video = draft.addMedia('video');
    const written = draft.write();
    const edited = firstCodecAlone(written.sdp);
    const pending = written.commit(edited);
    expect(pending.sdp).toBe(edited);
    const received = b.receiveOffer(pending.sdp);
    takeAll(received);
    pending.accept(received.answer());
    expect(video.parameters?.receive.codecs).toHaveLength(1);
  });

  it('may have other line ends and fewer candidates', () => {
    const { a, b } = makeSignallers();
    const written = a.negotiation().write();
    const edited = without(written.sdp, /^a=candidate:.*\r\n/gm).replaceAll('\r\n', '\n');
    const pending = written.commit(edited);
    pending.accept(b.receiveOffer(pending.sdp).answer());
    expect(a.signalingState).toBe('stable');
  });

  it.each<[string, (sdp: string) => string]>([
    ['another fingerprint', (sdp) => sdp.replaceAll(/a=fingerprint:sha-256 ../g, 'a=fingerprint:sha-256 00')],
    ['another mid', (sdp) => sdp.replace('a=mid:0', 'a=mid:zero').replace('BUNDLE 0', 'BUNDLE zero')],
    ['other ICE credentials', (sdp) => sdp.replaceAll(/a=ice-ufrag:.*/g, 'a=ice-ufrag:chosen')],
    ['another session', (sdp) => sdp.replace(/^o=- \d+/m, 'o=- 1')],
    ['other sources', (sdp) => sdp.replaceAll(/a=ssrc:\d+/g, 'a=ssrc:1')],
    ['a section more', (sdp) => `${sdp}m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n`],
    ['nothing', () => ''],
  ])('with %s is refused, and nothing has changed', (_, edit) => {
    const { a } = makeSignallers({ media: rtpMedia() });
    const draft = a.negotiation();
    draft.addMedia('audio');
    const written = draft.write();
    const before = shown(a);
    expect(edit(written.sdp)).not.toBe(written.sdp);
    expect(() => written.commit(edit(written.sdp))).toThrow(SdpRefusal);
    expect(shown(a)).toBe(before);
    expect(a.media).toEqual([]);
    expect(written.commit().sdp).toBe(written.sdp);
  });

  it('that is no text is misuse', () => {
    const written = makeSignaller().negotiation().write();
    expect(() => written.commit(5 as never)).toThrow('"edited"');
  });

  it('is refused by a strict end, but for its own text', () => {
    const { a } = makeSignallers({ strictSdp: true });
    const written = a.negotiation().write();
    expect(() => written.commit(written.sdp.replaceAll('\r\n', '\n'))).toThrow('local-description-changed');
    written.commit(written.sdp);
  });
});

describe('an edited answer', () => {
  it('is what is agreed on', () => {
    const { a, b } = makeSignallers();
    const draft = a.negotiation();
    draft.addMedia('video');
    const pending = draft.offer();
    const received = b.receiveOffer(pending.sdp);
    takeAll(received);
    const edited = firstCodecAlone(received.writeAnswer());
    expect(received.answer(edited)).toBe(edited);
    pending.accept(edited);
    expect(b.media[0]?.parameters?.receive.codecs).toHaveLength(1);
    expect(a.media[0]?.parameters?.send.codecs).toHaveLength(1);
  });

  it('with more than an edit is refused, and nothing has changed', () => {
    const { a, b } = makeSignallers();
    const received = b.receiveOffer(a.negotiation().offer().sdp);
    const before = shown(b);
    for (const edit of [
      (sdp: string) => sdp.replaceAll(/a=ice-pwd:.*/g, `a=ice-pwd:${'x'.repeat(24)}`),
      (sdp: string) => sdp.replaceAll(/a=fingerprint:sha-256 ../g, 'a=fingerprint:sha-256 00'),
    ]) {
      expect(() => received.answer(edit(received.writeAnswer()))).toThrow('local-description-changed');
      expect(shown(b)).toBe(before);
    }
    received.answer();
  });
});

it('a trace does edits again', () => {
  const { rtc, recorder } = recordRtc({ seed: 5 });
  rtc.addLocalCandidate({ type: 'host', protocol: 'udp', address: '192.0.2.5', port: 5000 });
  const peer = makeSignaller({}, 2);
  const draft = rtc.negotiation();
  draft.addMedia('video');
  const written = draft.write();
  const pending = written.commit(firstCodecAlone(written.sdp));
  const received = peer.receiveOffer(pending.sdp);
  takeAll(received);
  pending.accept(received.answer());
  const theirs = peer.negotiation().offer();
  const again = rtc.receiveOffer(theirs.sdp);
  theirs.accept(again.answer(again.writeAnswer().replaceAll('\r\n', '\n')));
  events(rtc);
  const outcome = replay(formatTrace(recorder.trace));
  expect(outcome.identical ? '' : outcome.divergence.message).toBe('');
});
