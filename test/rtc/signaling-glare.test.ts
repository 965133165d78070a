/** Offers that meet: the polite end takes its own back and keeps what it wished; drafts that wait for their turn; restarts that stay wanted. */
import { describe, expect, it, test } from 'vitest';
import type { TraceEntry } from '../../src/index.ts';
import { SdpRefusal } from '../../src/index.ts';
import { channel, makeOpenPair } from './pair.ts';
import { exchange, makeSignallers, nextOffer, shown, told } from './signallers.ts';

function fragmentOf(sdp: string): string {
  return /^a=ice-ufrag:(.*)$/m.exec(sdp)?.[1]?.trim() ?? '';
}

describe('glare', () => {
  it('the impolite end, which every end is by default, refuses the offer and keeps its own', () => {
    const { a, b } = makeSignallers();
    const pending = a.negotiation().offer();
    const theirs = b.negotiation().offer();
    const before = shown(a);
    expect(() => a.receiveOffer(theirs.sdp)).toThrow(SdpRefusal);
    expect(() => a.receiveOffer(theirs.sdp)).toThrow('glare');
    expect(shown(a)).toBe(before);
    theirs.rollback();
    pending.accept(b.receiveOffer(pending.sdp).answer());
    expect(a.signalingState).toBe('stable');
  });

  it('the polite end judges the offer without changing anything, so that it may still keep its own', () => {
    const { a, b } = makeSignallers({ polite: true });
    const pending = a.negotiation().offer();
    const theirs = b.negotiation().offer();
    const before = shown(a);
    const received = a.receiveOffer(theirs.sdp);
    received.writeAnswer();
    expect(() => a.receiveOffer('v=0')).toThrow(SdpRefusal);
    expect(shown(a)).toBe(before);
    received.dismiss();
    theirs.rollback();
    pending.accept(b.receiveOffer(pending.sdp).answer());
    expect(() => received.answer()).toThrow('moved on');
  });

  it.each(['answer', 'apply', 'provisionalAnswer'] as const)(
    'the polite end takes its own back in two steps that can be seen: %s()',
    (step) => {
      const { a, b } = makeSignallers({ polite: true });
      const pending = a.negotiation().offer();
      const theirs = b.negotiation().offer();
      const seen: TraceEntry[] = [];
      a.setTrace((entry) => seen.push(entry));
      a.receiveOffer(theirs.sdp)[step]();
      const steps = seen.flatMap((entry) => {
        if (entry.type === 'call') return [entry.call.method];
        return entry.type === 'state' && entry.machine === 'signaling' ? [entry.to] : [];
      });
      const states = {
        answer: ['answer'],
        apply: ['apply', 'have-remote-offer'],
        provisionalAnswer: ['provisionalAnswer', 'have-local-pranswer'],
      };
      expect(steps).toEqual(['rollback', 'stable', ...states[step]]);
      expect(() => pending.accept('v=0')).toThrow('moved on');
    },
  );

  it('what the polite end wished comes with its next offer, whichever draft makes it, under the same handles', () => {
    const { a, b } = makeSignallers({ polite: true });
    const draft = a.negotiation();
    const audio = draft.addMedia('audio', { direction: 'sendonly' });
    const chat = draft.addChannel('chat');
    draft.offer();
    const theirs = b.negotiation().offer();
    theirs.accept(a.receiveOffer(theirs.sdp).answer());
    expect([audio.stopped, audio.mid, audio.direction]).toEqual([false, undefined, 'sendonly']);
    expect(a.media).toEqual([audio]);
    expect(chat.readyState).toBe('connecting');
    expect(told(a)).toEqual(['negotiationneeded']);
    const { offer } = exchange(a, b);
    expect(offer).toContain('m=audio');
    expect(a.media).toEqual([audio]);
    expect(audio.mid).toBeDefined();
    expect(audio.currentDirection).not.toBeNull();
    expect(told(a)).toEqual(['mediachanged']);
    expect(nextOffer(a).match(/^m=audio/gm)).toHaveLength(1);
  });

  it('nothing is told of a need in between: the polite end is stable for a moment only', () => {
    const { a, b } = makeSignallers({ polite: true });
    const draft = a.negotiation();
    draft.addMedia('audio');
    draft.offer();
    const theirs = b.negotiation().offer();
    const received = a.receiveOffer(theirs.sdp);
    received.apply();
    expect(told(a)).toEqual([]);
    received.answer();
    expect(told(a)).toEqual(['negotiationneeded']);
    expect(told(a)).toEqual([]);
  });

  it('even a polite end cannot take back an offer that is answered provisionally', () => {
    const { a, b } = makeSignallers({ polite: true });
    const pending = a.negotiation().offer();
    const received = b.receiveOffer(pending.sdp);
    pending.acceptProvisional(received.writeAnswer());
    const before = shown(a);
    expect(() => a.receiveOffer(b.negotiation().write().sdp)).toThrow('glare');
    expect(shown(a)).toBe(before);
    pending.accept(received.answer());
  });

  it('both ends wish the first exchange at once: both wishes come to be', () => {
    const { a, b } = makeSignallers({ polite: true });
    const ours = a.negotiation();
    const audio = ours.addMedia('audio');
    const pending = ours.offer();
    const theirs = b.negotiation();
    const video = theirs.addMedia('video');
    const impolite = theirs.offer();
    expect(() => b.receiveOffer(pending.sdp)).toThrow('glare');
    impolite.accept(a.receiveOffer(impolite.sdp).answer());
    exchange(a, b);
    expect(a.media.map(({ kind }) => kind).sort()).toEqual(['audio', 'video']);
    expect(b.media.map(({ kind }) => kind).sort()).toEqual(['audio', 'video']);
    expect(new Set([...a.media.map(({ mid }) => mid), ...b.media.map(({ mid }) => mid)]).size).toBe(2);
    expect([audio.stopped, video.stopped]).toEqual([false, false]);
  });
});

describe('rollback with keepWishes', () => {
  it('keeps channels and media, and says that an offer is wanted', () => {
    const { a, b } = makeSignallers();
    const draft = a.negotiation();
    const audio = draft.addMedia('audio');
    const chat = draft.addChannel('chat');
    draft.offer().rollback({ keepWishes: true });
    expect(told(a)).toEqual(['negotiationneeded']);
    expect(a.media).toEqual([audio]);
    exchange(a, b);
    expect(chat.readyState).toBe('connecting');
    expect(audio.mid).toBeDefined();
    expect(told(a)).toEqual(['mediachanged']);
  });

  it('what is kept is taken back with the offer that it came again in', () => {
    const { a } = makeSignallers();
    const draft = a.negotiation();
    const audio = draft.addMedia('audio');
    const chat = draft.addChannel('chat');
    draft.offer().rollback({ keepWishes: true });
    a.negotiation().offer().rollback();
    expect([audio.stopped, chat.readyState]).toEqual([true, 'closed']);
    expect(a.media).toEqual([]);
  });

  it('what is kept can be changed by another draft, or not be wanted any more', () => {
    const { a, b } = makeSignallers();
    const draft = a.negotiation();
    const audio = draft.addMedia('audio');
    const video = draft.addMedia('video');
    draft.offer().rollback({ keepWishes: true });
    const other = a.negotiation();
    other.setDirection(audio, 'recvonly');
    other.stop(video);
    const { offer } = exchange(a, b, other);
    expect(offer).not.toContain('m=video');
    expect(audio.direction).toBe('recvonly');
    expect(video.stopped).toBe(true);
  });

  it('an option that is none is refused before anything changes', () => {
    const { a } = makeSignallers();
    const pending = a.negotiation().offer();
    expect(() => pending.rollback({ keepWish: true } as never)).toThrow(
      '"rollback" has no option "keepWish"',
    );
    expect(a.signalingState).toBe('have-local-offer');
  });
});

describe('drafts while an offer is out', () => {
  it('are made at any time; offer() throws until the exchange is over, and negotiationneeded says when', () => {
    const { a, b } = makeSignallers();
    const pending = a.negotiation().offer();
    const draft = a.negotiation();
    const audio = draft.addMedia('audio');
    expect(() => draft.offer()).toThrow(expect.objectContaining({ code: 'ERR_INVALID_STATE' }));
    expect(told(a)).toEqual([]);
    pending.accept(b.receiveOffer(pending.sdp).answer());
    expect(told(a)).toEqual(['negotiationneeded']);
    expect(told(a)).toEqual([]);
    exchange(a, b, draft);
    expect(audio.mid).toBeDefined();
  });

  it('two of them that wait are told of once', () => {
    const { a, b } = makeSignallers();
    const pending = a.negotiation().offer();
    const drafts = [a.negotiation(), a.negotiation()];
    for (const draft of drafts) draft.addChannel('more');
    pending.accept(b.receiveOffer(pending.sdp).answer());
    expect(told(a)).toEqual(['negotiationneeded']);
  });

  it('one that wishes nothing, or nothing any more, is not told of', () => {
    const { a, b } = makeSignallers();
    const pending = a.negotiation().offer();
    const draft = a.negotiation();
    draft.stop(draft.addMedia('audio'));
    draft.addChannel('chat').close();
    a.negotiation();
    pending.accept(b.receiveOffer(pending.sdp).answer());
    expect(told(a)).toEqual([]);
  });

  it('a channel that is added after offer() comes to be at once, and ends with the offer', () => {
    const { a, b } = makeSignallers();
    const draft = a.negotiation();
    draft.addChannel('chat');
    const pending = draft.offer();
    const late = draft.addChannel('late');
    expect(late.readyState).toBe('connecting');
    pending.rollback();
    expect(late.readyState).toBe('closed');
    const again = a.negotiation();
    again.addChannel('chat');
    const second = again.offer();
    again.addChannel('later');
    second.accept(b.receiveOffer(second.sdp).answer());
    expect(told(a)).toEqual([]);
  });

  it('an offer of another draft that comes first is told of, too', () => {
    const { a, b } = makeSignallers();
    const draft = a.negotiation();
    draft.addMedia('audio');
    exchange(a, b);
    expect(told(a)).toEqual(['negotiationneeded']);
  });

  it('a rollback lets the next one go', () => {
    const { a } = makeSignallers();
    const pending = a.negotiation().offer();
    const draft = a.negotiation();
    draft.addMedia('audio');
    pending.rollback();
    expect(told(a)).toEqual(['negotiationneeded']);
    expect(draft.offer().sdp).toContain('m=audio');
  });

  it('a draft whose media has ended meanwhile offers what is left of it', () => {
    const { a, b } = makeSignallers();
    const first = a.negotiation();
    const audio = first.addMedia('audio');
    const video = first.addMedia('video');
    exchange(a, b, first);
    const late = a.negotiation();
    late.setDirection(audio, 'recvonly');
    late.setDirection(video, 'recvonly');
    const stopping = a.negotiation();
    stopping.stop(audio);
    exchange(a, b, stopping);
    expect(audio.stopped).toBe(true);
    exchange(a, b, late);
    expect(video.direction).toBe('recvonly');
  });

  it('the app’s own mistakes are thrown at the call, before anything changes', () => {
    const { a, b } = makeSignallers();
    const theirs = b.negotiation().addMedia('audio');
    const draft = a.negotiation();
    const audio = draft.addMedia('audio');
    const other = a.negotiation();
    const before = shown(a);
    expect(() => draft.setDirection(theirs, 'inactive')).toThrow(
      '"media" expected a media of this connection',
    );
    expect(() => draft.stop(undefined as never)).toThrow('"media"');
    expect(() => draft.setDirection(audio, 'both' as never)).toThrow('"direction"');
    expect(() => draft.setCodecs(audio, [])).toThrow('"codecs"');
    expect(() => draft.setCodecs(audio, [{ mimeType: 'video/VP8', clockRate: 90_000 }])).toThrow('mimeType');
    expect(() => draft.addMedia('text' as never)).toThrow('"kind"');
    expect(() => draft.addMedia('audio', { dir: 'sendonly' } as never)).toThrow(
      '"addMedia" has no option "dir"',
    );
    expect(() => draft.addMedia('video', { encodings: [{ rid: 'a b' }] })).toThrow('"encodings[0].rid"');
    expect(() => draft.addMedia('video', { encodings: [{ rid: 'h' }, { rid: 'h' }] })).toThrow(
      'no two alike',
    );
    expect(() => draft.addMedia('video', { streams: ['a\r\nb'] })).toThrow('"streams[0]"');
    expect(() => draft.addMedia('video', { headerExtensions: ['a b'] })).toThrow('"headerExtensions[0]"');
    expect(() => other.setDirection(audio, 'inactive')).toThrow('another draft');
    draft.stop(audio);
    expect(() => draft.setDirection(audio, 'inactive')).toThrow('has ended');
    expect(shown(a)).toBe(before);
    expect(draft.offer().sdp).not.toContain('m=audio');
  });
});

describe('offers that are written first', () => {
  it('writing changes nothing, and is repeated to the letter', () => {
    const { a } = makeSignallers();
    const draft = a.negotiation();
    draft.addMedia('video');
    const before = shown(a);
    const texts = [draft.write().sdp, draft.write().sdp];
    expect(texts[0]).toBe(texts[1]);
    expect(shown(a)).toBe(before);
    expect(a.media).toEqual([]);
    expect(draft.write().commit().sdp).toBe(texts[0]);
  });

  it('a restart shows the credentials that it will have', () => {
    const { offerer, answerer } = makeOpenPair();
    const draft = offerer.rtc.negotiation();
    draft.restartIce();
    const before = offerer.rtc.localParameters.ice.usernameFragment;
    const written = draft.write();
    expect(draft.write().sdp).toBe(written.sdp);
    expect(offerer.rtc.localParameters.ice.usernameFragment).toBe(before);
    const pending = written.commit();
    expect(fragmentOf(written.sdp)).toBe(offerer.rtc.localParameters.ice.usernameFragment);
    pending.accept(answerer.rtc.receiveOffer(pending.sdp).answer());
  });

  it('one that is committed while another is out replaces it, the wishes of both in it', () => {
    const { a, b } = makeSignallers();
    const first = a.negotiation();
    const audio = first.addMedia('audio');
    const replaced = first.offer();
    const second = a.negotiation();
    const video = second.addMedia('video');
    const pending = second.write().commit();
    expect(pending.sdp).toMatch(/m=audio[^]*m=video/);
    expect(() => replaced.accept('v=0')).toThrow('moved on');
    expect(() => replaced.rollback()).toThrow('moved on');
    pending.accept(b.receiveOffer(pending.sdp).answer());
    expect(a.media).toEqual([audio, video]);
    expect([audio.stopped, video.stopped]).toEqual([false, false]);
  });

  it('one that replaces an offer with a restart has its credentials again', () => {
    const { offerer, answerer, net } = makeOpenPair({ conditions: { latency: 20 } });
    offerer.rtc.restartIce();
    const first = offerer.rtc.negotiation().offer();
    const second = offerer.rtc.negotiation().write().commit();
    expect(fragmentOf(second.sdp)).toBe(fragmentOf(first.sdp));
    second.accept(answerer.rtc.receiveOffer(second.sdp).answer());
    channel(offerer).send('all is well');
    net.advance(5000);
    expect(answerer.messages.get('chat')).toEqual(['all is well']);
    expect(offerer.rtc.usernameFragments).toHaveLength(1);
  });

  it('the negotiation has moved on since: it is refused, and the draft can be written again', () => {
    const { a, b } = makeSignallers();
    const draft = a.negotiation();
    draft.addMedia('audio');
    const written = draft.write();
    exchange(b, a);
    expect(() => written.commit()).toThrow('moved on');
    expect(draft.write().commit().sdp).toContain('m=audio');
  });

  it('what is wished after writing is for the next one; media that was stopped since is in the way', () => {
    const { a, b } = makeSignallers();
    const draft = a.negotiation();
    draft.addMedia('audio');
    const written = draft.write();
    draft.addMedia('video');
    const pending = written.commit();
    pending.accept(b.receiveOffer(pending.sdp).answer());
    expect(told(a)).toEqual(['mediachanged', 'negotiationneeded']);
    const next = draft.write();
    expect(next.sdp).toContain('m=video');
    const again = a.negotiation();
    const doomed = again.addMedia('video');
    const late = again.write();
    again.stop(doomed);
    const before = shown(a);
    expect(() => late.commit()).toThrow('has been stopped');
    expect(shown(a)).toBe(before);
  });
});

describe('a restart that is wanted', () => {
  test('by a draft: its offer restarts ICE, and after a rollback the next one does', () => {
    const { offerer, answerer, net } = makeOpenPair();
    const { rtc } = offerer;
    const before = rtc.localParameters.ice.usernameFragment;
    const draft = rtc.negotiation();
    draft.restartIce();
    net.advance(10);
    expect(offerer.events.filter(({ type }) => type === 'negotiationneeded')).toEqual([]);
    const offer = draft.offer();
    expect(fragmentOf(offer.sdp)).not.toBe(before);
    offer.rollback();
    net.advance(10);
    expect(offerer.events.filter(({ type }) => type === 'negotiationneeded')).toHaveLength(1);
    const { offer: again } = exchange(rtc, answerer.rtc);
    expect(fragmentOf(again)).not.toBe(before);
    expect(fragmentOf(exchange(rtc, answerer.rtc).offer)).toBe(fragmentOf(again));
  });

  test('before the first exchange there is nothing to restart', () => {
    const { a, b } = makeSignallers();
    const draft = a.negotiation();
    draft.restartIce();
    const { offer } = exchange(a, b, draft);
    expect(a.inspect().negotiation.restartWanted).toBe(false);
    expect(fragmentOf(nextOffer(a))).toBe(fragmentOf(offer));
  });

  test('stays wanted over a glare whose offer restarts nothing', () => {
    const { offerer, answerer, net } = makeOpenPair({ offerer: { polite: true } });
    offerer.rtc.restartIce();
    const before = offerer.rtc.localParameters.ice.usernameFragment;
    offerer.rtc.negotiation().offer();
    const theirs = answerer.rtc.negotiation().offer();
    theirs.accept(offerer.rtc.receiveOffer(theirs.sdp).answer());
    expect(offerer.rtc.localParameters.ice.usernameFragment).toBe(before);
    net.advance(10);
    expect(offerer.events.filter(({ type }) => type === 'negotiationneeded')).toHaveLength(1);
    const { offer } = exchange(offerer.rtc, answerer.rtc);
    expect(fragmentOf(offer)).not.toBe(before);
    channel(offerer).send('all is well');
    net.advance(5000);
    expect(answerer.messages.get('chat')).toEqual(['all is well']);
  });

  test('is done by a glare whose offer restarts, too', () => {
    const { offerer, answerer, net } = makeOpenPair({
      conditions: { latency: 20 },
      offerer: { polite: true },
    });
    offerer.rtc.restartIce();
    answerer.rtc.restartIce();
    offerer.rtc.negotiation().offer();
    const theirs = answerer.rtc.negotiation().offer();
    theirs.accept(offerer.rtc.receiveOffer(theirs.sdp).answer());
    net.advance(5000);
    for (const { rtc } of [offerer, answerer]) {
      expect(rtc.inspect().negotiation.restartWanted).toBe(false);
      expect(rtc.usernameFragments).toEqual([rtc.localParameters.ice.usernameFragment]);
      expect(rtc.connectionState).toBe('connected');
    }
  });
});
