/** `rtc.setTrace`: what a listener is told, and what it costs when there is none. */
import { describe, expect, test, vi } from 'vitest';
import type { TraceEntry, TraceOptions } from '../../src/index.ts';
import type { Rtc } from '../../src/index.ts';
import type { TraceCall } from '../../src/rtc.ts';
import { formatEntry } from '../../src/trace/index.ts';
import type { Pair } from '../rtc/pair.ts';
import { channel, makeOpenPair, makePair, makeUnsignalledPair, runUntilOpen } from '../rtc/pair.ts';

function listen(rtc: Rtc, options?: TraceOptions): TraceEntry[] {
  const entries: TraceEntry[] = [];
  rtc.setTrace((entry) => entries.push(entry), options);
  return entries;
}

function ofType<Type extends TraceEntry['type']>(
  entries: readonly TraceEntry[],
  type: Type,
): Extract<TraceEntry, { type: Type }>[] {
  return entries.filter((entry): entry is Extract<TraceEntry, { type: Type }> => entry.type === type);
}

function callsOf(entries: readonly TraceEntry[]): TraceCall[] {
  return ofType(entries, 'call').map(({ call }) => call);
}

/** An open pair whose offerer has been listened to from its start. */
/** Its records say what they carry; those of DTLS 1.3 do not. */
const dtls12 = { dtls: { versions: { max: '1.2' } } } as const;

function openPair(options?: TraceOptions): Pair & { entries: TraceEntry[] } {
  const pair = makeUnsignalledPair({ conditions: { latency: 10 }, offerer: dtls12 });
  const entries = listen(pair.offerer.rtc, options);
  const draft = pair.offerer.rtc.negotiation();
  draft.addChannel('chat');
  const offer = draft.offer();
  offer.accept(pair.answerer.rtc.receiveOffer(offer.sdp).answer());
  runUntilOpen(pair);
  return { ...pair, entries };
}

describe('inputs and outputs', () => {
  test('every datagram in and out, with its bytes, and every deadline', () => {
    const { net, offerer, answerer } = makeUnsignalledPair({ network: { record: { bytes: true } } });
    const entries = listen(offerer.rtc);
    const offer = offerer.rtc.negotiation().offer();
    offer.accept(answerer.rtc.receiveOffer(offer.sdp).answer());
    net.run({ until: () => offerer.rtc.connectionState === 'connected' });
    const sent = net.datagrams.filter(({ from }) => from === 'offerer');
    expect(ofType(entries, 'transmit').map(({ data }) => data)).toEqual(sent.map(({ data }) => data));
    const arrived = net.datagrams
      .filter(({ to }) => to === 'offerer')
      .sort((a, b) => a.arrivals[0]! - b.arrivals[0]!);
    expect(ofType(entries, 'receive').map(({ data, at }) => [data, at])).toEqual(
      arrived.map(({ data, arrivals }) => [data, arrivals[0]]),
    );
    for (const { at, deadline, reason } of ofType(entries, 'timeout')) {
      expect(deadline).toBeGreaterThan(at);
      expect(reason).not.toBe('');
    }
  });

  test('events are plain data; a channel is named by index, stream and label', () => {
    const { net, offerer, answerer, entries } = openPair();
    channel(answerer).send('hi');
    channel(answerer).send(Uint8Array.of(1, 2));
    net.run({ until: () => offerer.messages.get('chat')?.length === 2 });
    const events = ofType(entries, 'event').map(({ event }) => event);
    const chat = { index: 0, id: 1, label: 'chat' };
    expect(events).toContainEqual({ type: 'channelopen', channel: chat });
    expect(events).toContainEqual({ type: 'message', channel: chat, data: 'hi' });
    expect(events).toContainEqual({ type: 'message', channel: chat, data: Uint8Array.of(1, 2) });
    expect(events).toContainEqual({ type: 'iceconnectionstatechange', state: 'checking' });
  });

  test('entries are copies: the network overwrites what it delivers, a listener may do as it likes', () => {
    const { net, offerer, answerer, entries } = openPair();
    const given = Uint8Array.of(1, 2, 3);
    channel(offerer).send(given);
    given.fill(9);
    for (const entry of entries) if ('data' in entry) entry.data.fill(0);
    net.run({ until: () => answerer.messages.has('chat') });
    expect(answerer.messages.get('chat')).toEqual([Uint8Array.of(1, 2, 3)]);
    const sent = callsOf(entries).find(({ method }) => method === 'send');
    expect(sent).toMatchObject({ data: Uint8Array.of(1, 2, 3), accepted: true });
  });
});

describe('calls', () => {
  test('signalling by offer, with what it gave; its inner steps are not calls of the host', () => {
    const { entries } = openPair();
    const [create, offer, accept, ...more] = callsOf(entries);
    expect(create).toEqual({
      method: 'createChannel',
      channel: { index: 0, label: 'chat' },
      label: 'chat',
      options: {},
      draft: 0,
    });
    expect(offer).toMatchObject({
      method: 'offer',
      draft: 0,
      sdp: expect.stringContaining('a=setup:actpass'),
    });
    expect(accept).toMatchObject({ method: 'accept', sdp: expect.stringContaining('a=setup:active') });
    expect(more).toEqual([]);
  });

  test('signalling by answer, and trickled candidates', () => {
    const { offerer, answerer } = makeUnsignalledPair();
    const entries = listen(answerer.rtc);
    answerer.rtc.addLocalCandidate({ type: 'host', protocol: 'udp', address: '192.0.2.2', port: 5001 });
    const { sdp } = offerer.rtc.negotiation().offer();
    const answer = answerer.rtc.receiveOffer(sdp).answer();
    answerer.rtc.addRemoteCandidate('');
    expect(callsOf(entries)).toMatchObject([
      { method: 'addLocalCandidate', candidate: { port: 5001 } },
      { method: 'answer', sdp: answer.replace(/ice-pwd:.*/, 'ice-pwd:***') },
      { method: 'addRemoteCandidate', candidate: '' },
    ]);
  });

  test('channels: created, threshold, sent, refused, closed; rolled back', () => {
    const { offerer, answerer } = makeOpenPair({ offerer: { sctp: { sendBuffer: 1000 } } });
    const entries = listen(offerer.rtc);
    const chat = channel(offerer);
    chat.bufferedAmountLowThreshold = 100;
    chat.priority = 'high';
    expect(chat.send(new Uint8Array(900))).toBe(true);
    expect(chat.send(new Uint8Array(900))).toBe(false);
    chat.close();
    chat.close();
    answerer.rtc.close();
    expect(callsOf(entries).map((call) => ('accepted' in call ? call.accepted : call.method))).toEqual([
      'setLowThreshold',
      'setPriority',
      true,
      false,
      'closeChannel',
    ]);
  });

  test('a call that throws has changed nothing and is no entry', () => {
    const { offerer } = makeUnsignalledPair();
    const entries = listen(offerer.rtc);
    expect(() => offerer.rtc.createChannel('x', { id: 3 })).toThrow();
    expect(() => offerer.rtc.receiveOffer('nonsense')).toThrow();
    expect(entries).toEqual([]);
  });

  test('close comes before the farewells it causes', () => {
    const { net, offerer, entries } = openPair();
    const before = entries.length;
    offerer.rtc.close();
    net.advance(100);
    const said = entries.slice(before).map((entry) => ('summary' in entry ? entry.summary : entry.type));
    expect(said.slice(0, 2)).toEqual(['call', 'SCTP ABORT cause 12 "local-close"']);
    expect(entries.at(-1)).toMatchObject({ type: 'timeout', deadline: Infinity });
    expect(ofType(entries, 'state').at(-1)).toMatchObject({ machine: 'sctp', to: 'closed' });
  });
});

describe('inside', () => {
  test('plaintext SCTP packets stand beside the records that carry them', () => {
    const { entries } = openPair();
    for (const [i, entry] of entries.entries()) {
      if (entry.type !== 'packet') continue;
      const neighbours = entry.direction === 'out' ? entries.slice(i + 1) : entries.slice(0, i).reverse();
      const carrier = neighbours.find(({ type }) => type === 'transmit' || type === 'receive');
      expect(carrier).toMatchObject({ type: entry.direction === 'out' ? 'transmit' : 'receive' });
      expect(carrier).toHaveProperty('summary', `DTLS application data, ${String(entry.data.length)} bytes`);
    }
    const summaries = ofType(entries, 'packet').map(({ summary }) => summary);
    expect(summaries.some((summary) => summary.includes('DCEP OPEN "chat"'))).toBe(true);
  });

  test('states, in their order', () => {
    const { entries } = openPair();
    const ice = ofType(entries, 'state').filter(({ machine }) => machine === 'ice');
    expect(ice[0]).toMatchObject({ from: 'new', to: 'checking' });
    const dtls = ofType(entries, 'state').filter(({ machine }) => machine === 'dtls');
    expect(dtls.map(({ to }) => to)).toEqual(['connecting', 'connected']);
    const sctp = ofType(entries, 'state').filter(({ machine }) => machine === 'sctp');
    expect(sctp.at(-1)).toMatchObject({ to: 'established' });
  });

  test('timers armed, fired and disarmed, each by name; what is armed agrees with inspect()', () => {
    const { net, offerer, entries } = openPair();
    net.advance(20_000);
    const armed = new Map<string, number>();
    const fired: string[] = [];
    for (const { timer, change, deadline, at } of ofType(entries, 'timer')) {
      if (change === 'armed') armed.set(timer, deadline);
      else armed.delete(timer);
      if (change === 'fired') {
        fired.push(timer);
        expect(deadline).toBeLessThanOrEqual(at);
      }
    }
    expect(fired).toContain('ice.consentCheck');
    const { ice, dtls, sctp, channels } = offerer.rtc.inspect();
    const count = [ice, dtls, sctp, channels]
      .map((layer) => Object.keys(layer?.timers ?? {}).length)
      .reduce((sum, length) => sum + length, 0);
    expect(armed.size).toBe(count);
  });

  test('a connection where nothing goes wrong has no drops', () => {
    const { net, offerer, answerer, entries } = openPair();
    channel(offerer).send('x'.repeat(50_000));
    net.run({ until: () => answerer.messages.has('chat') });
    // Both ends set up SCTP at once; what is left over of one of the two exchanges is normal.
    expect(ofType(entries, 'drop').filter(({ counter }) => counter !== 'sctp.late-setup-chunk')).toEqual([]);
  });

  test('what the network says of congestion is told with the datagram', () => {
    const { net, offerer, entries } = openPair();
    const before = entries.length;
    const path = {
      protocol: 'udp',
      source: { address: '203.0.113.9', port: 9 },
      destination: { address: '192.0.2.1', port: 5000 },
    } as const;
    offerer.rtc.handleInput({
      type: 'receive',
      now: net.now,
      ...path,
      data: Uint8Array.of(200),
      ecn: 'ce',
    });
    const [entry] = entries.slice(before);
    expect(entry).toMatchObject({ type: 'receive', ecn: 'ce' });
    expect(entry && formatEntry(entry)).toContain('"ecn":"ce"');
  });

  test('what is dropped is named right after the datagram', () => {
    const { net, offerer, entries } = openPair();
    const path = {
      protocol: 'udp',
      source: { address: '203.0.113.9', port: 9 },
      destination: { address: '192.0.2.1', port: 5000 },
    } as const;
    const before = entries.length;
    offerer.rtc.handleInput({ type: 'receive', now: net.now, ...path, data: Uint8Array.of(23, 254, 253) });
    offerer.rtc.handleInput({ type: 'receive', now: net.now, ...path, data: Uint8Array.of(200) });
    expect(entries.slice(before)).toMatchObject([
      { type: 'receive', summary: 'DTLS 3 bytes that are no record' },
      { type: 'drop', counter: 'rtc.droppedUnvalidatedPath', count: 1 },
      { type: 'receive', summary: 'unknown, 1 bytes' },
      { type: 'drop', counter: 'rtc.droppedUnknownProtocol', count: 1 },
    ]);
  });
});

describe('secrets', () => {
  test('by default no password and no key; on opt-in both, at both ends the same key', () => {
    const plain = openPair();
    expect(ofType(plain.entries, 'secret')).toEqual([]);
    const text = JSON.stringify(plain.entries);
    expect(text).not.toContain(plain.offerer.rtc.localParameters.ice.password);
    expect(text).not.toContain(plain.answerer.rtc.localParameters.ice.password);

    const pair = makePair({ offerer: dtls12 });
    const [ours, theirs] = [pair.offerer, pair.answerer].map(({ rtc }) => listen(rtc, { secrets: true }));
    runUntilOpen(pair);
    const [secret] = ofType(ours ?? [], 'secret');
    expect(secret).toMatchObject({ label: 'CLIENT_RANDOM' });
    expect(secret?.clientRandom).toHaveLength(32);
    expect(secret?.secret).toHaveLength(48);
    expect(ofType(theirs ?? [], 'secret')).toMatchObject([{ secret: secret?.secret }]);
  });

  test('a password given without SDP is hidden too', () => {
    const { offerer, answerer } = makeUnsignalledPair();
    const entries = listen(offerer.rtc);
    offerer.rtc.start({ ...answerer.rtc.localParameters, iceRole: 'controlling', dtlsRole: 'client' });
    expect(callsOf(entries)).toMatchObject([{ method: 'start', parameters: { ice: { password: '***' } } }]);
  });
});

describe('when off', () => {
  test('nothing is looked at: inspect() is not called, and no bytes are different', () => {
    const quiet = makePair({ seed: 5 });
    const inspect = vi.spyOn(quiet.offerer.rtc, 'inspect');
    runUntilOpen(quiet);
    channel(quiet.offerer).send('hello');
    quiet.net.advance(2000);
    expect(inspect).not.toHaveBeenCalled();

    const traced = makePair({ seed: 5 });
    const entries = listen(traced.offerer.rtc);
    runUntilOpen(traced);
    channel(traced.offerer).send('hello');
    traced.net.advance(2000);
    expect(entries.length).toBeGreaterThan(100);
    expect(traced.net.digest()).toBe(quiet.net.digest());
  });

  test('undefined ends it', () => {
    const { net, offerer, entries } = openPair();
    const before = entries.length;
    offerer.rtc.setTrace(undefined);
    channel(offerer).send('hello');
    net.advance(1000);
    offerer.rtc.close();
    expect(entries).toHaveLength(before);
  });
});
