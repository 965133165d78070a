/** Media handles, from the draft or the peer's offer to their end; what is chosen of an offer's sections. */
import { describe, expect, it } from 'vitest';
import type { Media, RtcEvent } from '../../src/index.ts';
import { Rtc } from '../../src/index.ts';
import { events, exchange, makeSignallers, nextOffer, shown, takeAll, told } from './signallers.ts';

function mediaEvents(rtc: Rtc): [RtcEvent['type'], Media][] {
  return events(rtc).flatMap((event) => ('media' in event ? [[event.type, event.media]] : []));
}

describe('media of ours', () => {
  it('is there from the draft on, and among those of the connection from the offer on', () => {
    const { a, b } = makeSignallers();
    const draft = a.negotiation();
    const audio = draft.addMedia('audio', { direction: 'sendonly' });
    expect(audio).toMatchObject({ kind: 'audio', mid: undefined, direction: 'sendonly', stopped: false });
    expect([audio.currentDirection, audio.parameters]).toEqual([null, undefined]);
    expect(a.media).toEqual([]);
    const pending = draft.offer();
    expect(a.media).toEqual([audio]);
    expect(audio.mid).toBeDefined();
    expect(audio.currentDirection).toBeNull();
    const received = b.receiveOffer(pending.sdp);
    takeAll(received);
    pending.accept(received.answer());
    expect(audio.currentDirection).toBe('sendonly');
    expect(audio.parameters).toMatchObject({ kind: 'media', media: 'audio', mid: audio.mid });
    expect(audio.parameters?.send.codecs.length).toBeGreaterThan(0);
    expect(mediaEvents(a)).toEqual([['mediachanged', audio]]);
  });

  it('is the same object over every later exchange', () => {
    const { a, b } = makeSignallers();
    const draft = a.negotiation();
    const audio = draft.addMedia('audio');
    exchange(a, b, draft, takeAll);
    const [theirs] = b.media;
    exchange(b, a);
    exchange(a, b);
    expect([a.media, b.media]).toEqual([[audio], [theirs]]);
  });

  it('mediachanged is told once for a change of direction or codecs, and not where nothing changes', () => {
    const { a, b } = makeSignallers();
    const draft = a.negotiation();
    const audio = draft.addMedia('audio');
    exchange(a, b, draft, takeAll);
    told(a);
    told(b);
    exchange(a, b);
    expect([told(a), told(b)]).toEqual([[], []]);
    const second = a.negotiation();
    second.setDirection(audio, 'recvonly');
    expect(audio.direction).toBe('sendrecv');
    exchange(a, b, second);
    expect([audio.direction, audio.currentDirection, b.media[0]?.currentDirection]).toEqual([
      'recvonly',
      'recvonly',
      'sendonly',
    ]);
    expect([told(a), told(b)]).toEqual([['mediachanged'], ['mediachanged']]);
    const third = a.negotiation();
    third.setCodecs(audio, [{ mimeType: 'audio/PCMU', clockRate: 8000 }]);
    exchange(a, b, third);
    expect(audio.parameters?.receive.codecs.map(({ mimeType }) => mimeType)).toEqual(['audio/PCMU']);
    expect([told(a), told(b)]).toEqual([['mediachanged'], ['mediachanged']]);
  });

  it('a wish that is taken back is none', () => {
    const { a, b } = makeSignallers();
    const first = a.negotiation();
    const audio = first.addMedia('audio');
    exchange(a, b, first, takeAll);
    const before = nextOffer(a);
    const second = a.negotiation();
    second.setDirection(audio, 'inactive');
    const pending = second.offer();
    expect(audio.direction).toBe('inactive');
    pending.rollback();
    expect([audio.direction, audio.currentDirection, audio.stopped]).toEqual(['sendrecv', 'sendrecv', false]);
    expect(nextOffer(a)).toBe(before);
  });

  it('ends when it is stopped and answered, for both ends, and its place serves again', () => {
    const { a, b } = makeSignallers();
    const first = a.negotiation();
    const audio = first.addMedia('audio');
    exchange(a, b, first, takeAll);
    const [theirs] = b.media;
    told(a);
    told(b);
    const second = a.negotiation();
    second.stop(audio);
    const pending = second.offer();
    expect(audio.stopped).toBe(false);
    pending.accept(b.receiveOffer(pending.sdp).answer());
    expect([audio.stopped, audio.mid, audio.currentDirection]).toEqual([true, undefined, null]);
    expect([theirs?.stopped, a.media, b.media]).toEqual([true, [], []]);
    expect([told(a), told(b)]).toEqual([['mediachanged'], ['mediachanged']]);
    const third = a.negotiation();
    const video = third.addMedia('video');
    const { offer } = exchange(a, b, third, takeAll);
    expect(video).not.toBe(audio);
    expect(audio.stopped).toBe(true);
    expect(offer.match(/^m=/gm)?.length).toBeLessThanOrEqual(2);
  });

  it('ends when the peer rejects it', () => {
    const { a, b } = makeSignallers();
    const draft = a.negotiation();
    const audio = draft.addMedia('audio');
    draft.addChannel('chat');
    exchange(a, b, draft, (received) => {
      received.media[0]?.reject();
    });
    expect([audio.stopped, a.media, b.media]).toEqual([true, [], []]);
    expect([told(a), told(b)]).toEqual([['mediachanged'], []]);
  });

  it('ends with the offer that is taken back', () => {
    const { a } = makeSignallers();
    const draft = a.negotiation();
    const audio = draft.addMedia('audio');
    draft.offer().rollback();
    expect([audio.stopped, a.media]).toEqual([true, []]);
    expect(mediaEvents(a)).toEqual([['mediachanged', audio]]);
  });

  it('ends at once, and without an event, where it was only drafted', () => {
    const { a } = makeSignallers();
    const draft = a.negotiation();
    const audio = draft.addMedia('audio');
    draft.stop(audio);
    expect(audio.stopped).toBe(true);
    expect(draft.offer().sdp).not.toContain('m=audio');
    expect(mediaEvents(a)).toEqual([]);
  });

  it('ends with the connection, drafted or not, and no event follows', () => {
    const { a, b } = makeSignallers();
    const draft = a.negotiation();
    const audio = draft.addMedia('audio');
    exchange(a, b, draft, takeAll);
    const video = a.negotiation().addMedia('video');
    events(a);
    a.close();
    expect([audio.stopped, video.stopped, a.media]).toEqual([true, true, []]);
    expect(mediaEvents(a)).toEqual([]);
  });

  it('nothing that the caller changes afterwards counts', () => {
    const { a } = makeSignallers();
    const draft = a.negotiation();
    const codec = { mimeType: 'audio/PCMU', clockRate: 8000, rtcpFeedback: ['transport-cc'] };
    const streams = ['camera'];
    draft.addMedia('audio', { codecs: [codec], streams });
    codec.mimeType = 'audio/none';
    codec.rtcpFeedback.push('nonsense');
    streams.push('more');
    const { sdp } = draft.offer();
    expect(sdp).toContain('PCMU/8000');
    expect(sdp).toContain('camera');
    expect(sdp).not.toMatch(/none|nonsense|more/);
  });
});

describe('media of the peer’s', () => {
  it('is added once its offer is answered, and told of once', () => {
    const { a, b } = makeSignallers();
    const draft = a.negotiation();
    draft.addMedia('audio');
    const pending = draft.offer();
    const received = b.receiveOffer(pending.sdp);
    received.apply();
    expect([b.media, told(b)]).toEqual([[], []]);
    takeAll(received);
    pending.accept(received.answer());
    const [audio] = b.media;
    expect(audio).toMatchObject({ kind: 'audio', direction: 'sendrecv', currentDirection: 'sendrecv' });
    expect(mediaEvents(b)).toEqual([['mediaadded', audio]]);
  });

  it('is inactive where nothing is chosen, and can be wished for later', () => {
    const { a, b } = makeSignallers();
    const draft = a.negotiation();
    draft.addMedia('audio');
    exchange(a, b, draft);
    const [audio] = b.media;
    expect(audio?.currentDirection).toBe('inactive');
    const theirs = b.negotiation();
    if (audio !== undefined) theirs.setDirection(audio, 'recvonly');
    exchange(b, a, theirs);
    expect(audio?.currentDirection).toBe('recvonly');
  });

  it('what is chosen of a section stands in the answer', () => {
    const { a, b } = makeSignallers();
    const draft = a.negotiation();
    draft.addMedia('audio', { direction: 'sendonly' });
    draft.addMedia('video', { encodings: [{ rid: 'h' }, { rid: 'l', active: false }], streams: ['screen'] });
    draft.addMedia('video');
    const pending = draft.offer();
    const received = b.receiveOffer(pending.sdp);
    const [audio, video, second] = received.media;
    expect(received.media.map(({ kind }) => kind)).toEqual(['audio', 'video', 'video']);
    expect([audio?.remoteDirection, audio?.direction]).toEqual(['sendonly', 'inactive']);
    expect(video?.encodings.map(({ rid }) => rid)).toEqual(['h', 'l']);
    expect(video?.streams).toEqual(['screen']);
    if (audio !== undefined) audio.direction = 'recvonly';
    if (video !== undefined) {
      video.direction = 'sendrecv';
      video.setCodecs([{ mimeType: 'video/VP8', clockRate: 90_000 }]);
      video.setStreams(['back']);
      video.setEncodings(['h']);
    }
    second?.reject();
    expect(second?.direction).toBeUndefined();
    const written = received.writeAnswer();
    expect(received.writeAnswer()).toBe(written);
    const answer = received.answer();
    expect(answer).toBe(written);
    const sections = answer.split(/^(?=m=)/m);
    expect(sections[1]).toContain('a=recvonly');
    expect(sections[2]).toMatch(/VP8[^]*/);
    expect(sections[2]).not.toContain('VP9');
    expect(sections[2]).toContain('back');
    expect(sections[3]).toMatch(/^m=video 0 /);
    pending.accept(answer);
    expect(b.media).toHaveLength(2);
    expect(a.media.map(({ currentDirection }) => currentDirection)).toEqual(['sendonly', 'sendrecv']);
  });

  it('a direction takes a rejection back', () => {
    const { a, b } = makeSignallers();
    const draft = a.negotiation();
    draft.addMedia('audio');
    exchange(a, b, draft, ({ media: [audio] }) => {
      audio?.reject();
      if (audio !== undefined) audio.direction = 'recvonly';
    });
    expect(b.media[0]?.currentDirection).toBe('recvonly');
  });

  it('a choice that is none is thrown at the call and changes nothing', () => {
    const { a, b } = makeSignallers();
    const draft = a.negotiation();
    draft.addMedia('video', { encodings: [{ rid: 'h' }, { rid: 'l' }] });
    const received = b.receiveOffer(draft.offer().sdp);
    const [video] = received.media;
    if (video === undefined) throw new Error('no section');
    const before = [shown(b), received.writeAnswer()];
    expect(() => (video.direction = 'both' as never)).toThrow('"direction"');
    expect(() => video.setCodecs([])).toThrow('"codecs"');
    expect(() => video.setCodecs([{ mimeType: 'audio/opus', clockRate: 48_000 }])).toThrow('mimeType');
    expect(() => video.setEncodings(['x'])).toThrow('"encodings[0]"');
    expect(() => video.setStreams(['a b'])).toThrow('"streams[0]"');
    expect(() => video.setHeaderExtensions(['a b'])).toThrow('"headerExtensions[0]"');
    expect([shown(b), received.writeAnswer()]).toEqual(before);
    received.answer();
    expect(() => video.reject()).toThrow('moved on');
  });

  it('an offer that is dismissed has never been', () => {
    const { a, b } = makeSignallers();
    const draft = a.negotiation();
    draft.addMedia('audio');
    const { sdp } = draft.offer();
    const before = shown(b);
    for (const isApplied of [false, true]) {
      const received = b.receiveOffer(sdp);
      if (isApplied) received.apply();
      received.dismiss();
      expect(shown(b)).toBe(before);
      expect(() => received.answer()).toThrow('moved on');
      expect(() => received.apply()).toThrow('moved on');
    }
  });

  it('another offer that is applied replaces the first, and candidates are kept meanwhile', () => {
    const { a, b } = makeSignallers();
    const first = b.receiveOffer(a.negotiation().write().sdp);
    first.apply();
    const draft = a.negotiation();
    draft.addMedia('audio');
    const pending = draft.offer();
    b.addRemoteCandidate('candidate:1 1 udp 2130706431 192.0.2.9 5000 typ host');
    const second = b.receiveOffer(pending.sdp);
    second.apply();
    expect(() => first.answer()).toThrow('moved on');
    expect(b.iceConnectionState).toBe('new');
    pending.accept(second.answer());
    b.handleInput({ type: 'timeout', now: 1 });
    expect(b.inspect().ice.remoteCandidates).toHaveLength(2);
  });

  it('answers without applying replace an applied offer, too', () => {
    const { a, b } = makeSignallers();
    const first = b.receiveOffer(a.negotiation().write().sdp);
    first.apply();
    const pending = a.negotiation().offer();
    pending.accept(b.receiveOffer(pending.sdp).answer());
    expect(b.signalingState).toBe('stable');
    expect(() => first.answer()).toThrow('moved on');
  });
});

describe('provisional answers', () => {
  it('start the connection and leave the exchange open at both ends', () => {
    const { a, b } = makeSignallers();
    const draft = a.negotiation();
    const audio = draft.addMedia('audio');
    const pending = draft.offer();
    const received = b.receiveOffer(pending.sdp);
    const [section] = received.media;
    pending.acceptProvisional({ type: 'pranswer', sdp: received.provisionalAnswer() });
    expect([a.signalingState, b.signalingState]).toEqual(['have-remote-pranswer', 'have-local-pranswer']);
    for (const rtc of [a, b]) {
      rtc.handleInput({ type: 'timeout', now: 1 });
      expect(rtc.iceConnectionState).toBe('checking');
    }
    expect([audio.currentDirection, told(a), told(b)]).toEqual([
      'inactive',
      ['mediachanged'],
      ['mediaadded'],
    ]);
    if (section !== undefined) section.direction = 'sendrecv';
    pending.acceptProvisional(received.provisionalAnswer());
    expect(audio.currentDirection).toBe('sendrecv');
    pending.accept({ type: 'answer', sdp: received.answer() });
    expect([a.signalingState, b.signalingState]).toEqual(['stable', 'stable']);
    expect([told(a), told(b)]).toEqual([['mediachanged'], ['mediachanged']]);
  });

  it('a later answer that contradicts the transport of the provisional one is refused, and another one may come', () => {
    const { a, b } = makeSignallers();
    const pending = a.negotiation().offer();
    const received = b.receiveOffer(pending.sdp);
    pending.acceptProvisional(received.provisionalAnswer());
    const answer = received.answer();
    const before = shown(a);
    for (const other of [
      answer.replaceAll(/a=ice-ufrag:.*/g, 'a=ice-ufrag:elsewhere'),
      answer.replaceAll(/a=fingerprint:sha-256 ../g, 'a=fingerprint:sha-256 00'),
    ]) {
      expect(other).not.toBe(answer);
      expect(() => pending.accept(other)).toThrow('pranswer-transport-changed');
      expect(() => pending.acceptProvisional(other)).toThrow('pranswer-transport-changed');
      expect(shown(a)).toBe(before);
    }
    pending.accept(answer);
    expect(a.signalingState).toBe('stable');
  });

  it('are told apart by their type', () => {
    const { a, b } = makeSignallers();
    const pending = a.negotiation().offer();
    const sdp = b.receiveOffer(pending.sdp).answer();
    expect(() => pending.accept({ type: 'pranswer', sdp })).toThrow('answer.type');
    expect(() => pending.acceptProvisional({ type: 'answer', sdp })).toThrow('pranswer.type');
    pending.accept(sdp);
  });
});

describe('channels and their section', () => {
  it('an offer of media alone has no section for channels', () => {
    const { a, b } = makeSignallers();
    const draft = a.negotiation();
    draft.addMedia('audio');
    const { offer } = exchange(a, b, draft, takeAll);
    expect(offer).not.toContain('m=application');
  });

  it('a channel that is created without a section asks for an offer, which has one', () => {
    const { a, b } = makeSignallers();
    const draft = a.negotiation();
    draft.addMedia('audio');
    exchange(a, b, draft, takeAll);
    told(a);
    a.createChannel('chat');
    expect(told(a)).toEqual(['negotiationneeded']);
    a.createChannel('another');
    expect(told(a)).toEqual([]);
    const { offer } = exchange(a, b);
    expect(offer).toMatch(/m=audio[^]*m=application/);
    a.createChannel('third');
    expect(told(a)).toEqual([]);
  });

  it('before the first exchange nobody is asked: the host knows that it has to offer', () => {
    const { a } = makeSignallers();
    a.createChannel('chat');
    expect(told(a)).toEqual([]);
    expect(a.negotiation().offer().sdp).toContain('m=application');
  });

  it('an offer of nothing is one of channels', () => {
    const { a } = makeSignallers();
    expect(a.negotiation().offer().sdp).toContain('m=application');
  });
});

it('a restart of ICE is over where the answer rejects every section', () => {
  const { a, b } = makeSignallers();
  const draft = a.negotiation();
  draft.addMedia('audio');
  exchange(a, b, draft, takeAll);
  const { usernameFragment } = a.localParameters.ice;
  a.restartIce();
  const pending = a.negotiation().offer();
  const received = b.receiveOffer(pending.sdp);
  for (const section of received.media) section.reject();
  pending.accept(received.answer());
  expect([a.signalingState, b.signalingState]).toEqual(['stable', 'stable']);
  expect(a.inspect().negotiation.restartWanted).toBe(false);
  events(a);
  expect(a.localParameters.ice.usernameFragment).toBe(usernameFragment);
});
