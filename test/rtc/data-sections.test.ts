/** Data sections that are rejected and come again (RFC 8841), beside media: the connection lives through it, channels do not. */
import { describe, expect, test } from 'vitest';
import { withoutData } from '../negotiation/reject-data.ts';
import type { End, Pair } from './pair.ts';
import { makeUnsignalledPair } from './pair.ts';
import { BOTH, heard, runUntilOpen, sctpPackets } from './plain-ends.ts';

function ends(pair: Pair, who: 'offerer' | 'answerer'): [End, End] {
  return who === 'offerer' ? [pair.offerer, pair.answerer] : [pair.answerer, pair.offerer];
}

/** What signalling does to an exchange. */
interface Signalling {
  /** The peer is told that there is to be no data. */
  readonly rejectsData?: boolean;
  /** Milliseconds that the answer takes. */
  readonly delay?: number;
}

/** `from` offers, `to` answers. */
function exchange(pair: Pair, from: End, to: End, { rejectsData = false, delay = 0 }: Signalling = {}): void {
  const offer = from.rtc.negotiation().offer();
  const answer = to.rtc.receiveOffer(rejectsData ? withoutData(offer.sdp) : offer.sdp).answer();
  if (delay > 0) pair.net.advance(delay);
  offer.accept(answer);
}

/** A pair with audio both ways, and data channels if they are wanted; neither end has heard of the other one before. */
function signalled(wants: { readonly channel?: string }, signalling: Signalling = {}): Pair {
  const pair = makeUnsignalledPair({ conditions: { latency: 20 } });
  const draft = pair.offerer.rtc.negotiation();
  draft.addMedia('audio', { direction: 'sendrecv' });
  if (wants.channel !== undefined) draft.addChannel(wants.channel);
  const offer = draft.offer();
  const text = signalling.rejectsData === true ? withoutData(offer.sdp) : offer.sdp;
  const received = pair.answerer.rtc.receiveOffer(text);
  for (const media of received.media) media.direction = 'sendrecv';
  offer.accept(received.answer());
  const isUp = (): boolean =>
    [pair.offerer, pair.answerer].every(({ rtc }) => rtc.connectionState === 'connected');
  expect(pair.net.run({ until: isUp, limit: 10_000 }).reason).toBe('condition');
  return pair;
}

function requireNoData(end: End): void {
  const { connectionState, data, sctp, channels } = end.rtc.inspect();
  expect(connectionState).toBe('connected');
  expect(data.state).toBe('none');
  expect(sctp).toMatchObject({ state: 'new', timers: {} });
  expect(channels.channels).toEqual([]);
}

test('media alone: connected without a packet of SCTP, and closed in order', () => {
  const { net, offerer, answerer } = signalled({});
  net.advance(30_000);
  for (const end of [offerer, answerer]) {
    requireNoData(end);
    expect(sctpPackets(end)).toBe(0);
    expect(end.rtc.inspect().media).toMatchObject([{ media: 'audio', direction: 'sendrecv' }]);
  }
  answerer.rtc.close();
  net.advance(500);
  for (const { rtc } of [offerer, answerer]) expect(rtc.isEmpty).toBe(true);
});

test('a first exchange in which data is rejected: the channel that was offered has been refused', () => {
  const { offerer, answerer } = signalled({ channel: 'chat' }, { rejectsData: true });
  expect(heard(offerer, 'channelclose')).toMatchObject([{ failure: { code: 'data-closed' } }]);
  for (const end of [offerer, answerer]) requireNoData(end);
});

describe.each(BOTH)('the %s of the first exchange offers', (who) => {
  test.each([0, 200])('data comes later, its answer %i ms after the INIT could', (delay) => {
    const pair = signalled({});
    const [from, to] = ends(pair, who);
    const chat = from.rtc.createChannel('chat');
    exchange(pair, from, to, { delay });
    runUntilOpen(pair, 'chat');
    if (delay > 0) expect(from.rtc.inspect().counters.droppedSctp).toBeGreaterThan(0);
    chat.send('hello');
    pair.net.advance(500);
    expect(to.messages.get('chat')).toEqual(['hello']);
  });

  test.each([0, 200])('data is rejected, the answer %i ms late, and comes again, three times', (delay) => {
    const pair = signalled({ channel: '0' });
    runUntilOpen(pair, '0');
    const [from, to] = ends(pair, who);
    const { ice } = from.rtc.localParameters;
    for (let i = 1; i <= 3; i++) {
      exchange(pair, from, to, { rejectsData: true, delay });
      pair.net.advance(1000);
      for (const end of [from, to]) {
        requireNoData(end);
        expect(heard(end, 'channelclose').at(-1)).toMatchObject({ failure: { code: 'data-closed' } });
      }
      const chat = to.rtc.createChannel(String(i));
      pair.net.advance(1000);
      expect(chat.readyState).toBe('connecting');
      exchange(pair, to, from, { delay });
      runUntilOpen(pair, String(i));
      chat.send('again');
      pair.net.advance(500);
      expect(from.messages.get(String(i))).toEqual(['again']);
    }
    // The same ICE and DTLS all along.
    expect(from.rtc.localParameters.ice).toEqual(ice);
    expect(heard(from, 'dtlsstatechange').filter(({ state }) => state === 'connected')).toHaveLength(1);
    expect(from.rtc.inspect().data).toEqual({ state: 'open', associations: 4 });
  });

  test('a channel that waits is no reason to close it when an exchange has nothing new of data', () => {
    const pair = signalled({ channel: 'chat' });
    runUntilOpen(pair, 'chat');
    const [from, to] = ends(pair, who);
    exchange(pair, from, to, { rejectsData: true });
    pair.net.advance(500);
    const waits = to.rtc.createChannel('waits');
    exchange(pair, from, to);
    pair.net.advance(500);
    expect(waits.readyState).toBe('connecting');
  });
});

test('a provisional answer that rejects data takes nothing away yet', () => {
  const pair = makeUnsignalledPair({ conditions: { latency: 20 } });
  const draft = pair.offerer.rtc.negotiation();
  draft.addMedia('audio', { direction: 'sendrecv' });
  draft.addChannel('chat');
  const offer = draft.offer();
  const answer = pair.answerer.rtc.receiveOffer(offer.sdp).answer();
  offer.acceptProvisional(withoutData(answer));
  pair.net.advance(100);
  expect(heard(pair.offerer, 'channelclose')).toEqual([]);
  offer.accept(answer);
  runUntilOpen(pair, 'chat');
});

describe('who rejects the data section', () => {
  test('an offer of ours: both ends lose their channels, and a later draft brings others', () => {
    const pair = signalled({ channel: 'first' });
    runUntilOpen(pair, 'first');
    const { net, offerer, answerer } = pair;
    const draft = offerer.rtc.negotiation();
    draft.closeData();
    const offer = draft.offer();
    expect(offerer.channels.get('first')?.readyState).toBe('open');
    offer.accept(answerer.rtc.receiveOffer(offer.sdp).answer());
    net.advance(1000);
    for (const end of [offerer, answerer]) requireNoData(end);
    const again = answerer.rtc.negotiation();
    again.addChannel('second');
    const next = again.offer();
    next.accept(offerer.rtc.receiveOffer(next.sdp).answer());
    runUntilOpen(pair, 'second');
  });

  test('a wish to close it that is taken back and kept goes with the next offer; a channel that is added takes it back', () => {
    const pair = signalled({ channel: 'first' });
    runUntilOpen(pair, 'first');
    const { offerer } = pair;
    const draft = offerer.rtc.negotiation();
    draft.closeData();
    draft.offer().rollback({ keepWishes: true });
    const closing = offerer.rtc.negotiation().offer();
    expect(closing.sdp).toMatch(/m=application 0 /);
    closing.rollback({ keepWishes: true });
    const other = offerer.rtc.negotiation();
    other.addChannel('second');
    expect(other.offer().sdp).toMatch(/m=application [1-9]/);
  });

  test('an answer of ours', () => {
    const pair = signalled({ channel: 'first' });
    runUntilOpen(pair, 'first');
    const { net, offerer, answerer } = pair;
    const offer = offerer.rtc.negotiation().offer();
    const received = answerer.rtc.receiveOffer(offer.sdp);
    received.rejectData();
    offer.accept(received.answer());
    net.advance(1000);
    for (const end of [offerer, answerer]) requireNoData(end);
    const without = offerer.rtc.negotiation();
    without.closeData();
    const late = answerer.rtc.receiveOffer(without.offer().sdp);
    expect(() => {
      late.rejectData();
    }).toThrow(expect.objectContaining({ code: 'ERR_INVALID_STATE' }) as Error);
  });
});

test('an answer that rejects all that an offer is for takes its restart of ICE back', () => {
  const { offerer, answerer } = signalled({});
  const before = offerer.rtc.localParameters.ice.usernameFragment;
  const draft = offerer.rtc.negotiation();
  draft.restartIce();
  const offer = draft.offer();
  expect(offerer.rtc.localParameters.ice.usernameFragment).not.toBe(before);
  const received = answerer.rtc.receiveOffer(offer.sdp);
  for (const media of received.media) media.reject();
  offer.accept(received.answer());
  expect(offerer.rtc.localParameters.ice.usernameFragment).toBe(before);
});
