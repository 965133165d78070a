/** Two whole connections over a simulated network: they open, they talk, they close. */
import { describe, expect, test } from 'vitest';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import type { Bytes, Fingerprint } from '../../src/index.ts';
import { SeededRandom } from '../../src/index.ts';
import { channel, closedReason, makeOpenPair, makePair, makeUnsignalledPair, runUntilOpen } from './pair.ts';

describe('connecting', () => {
  test('a perfect link: offer, answer, open, a word each way', () => {
    const { net, offerer, answerer } = makeOpenPair();
    expect(offerer.rtc.connectionState).toBe('connected');
    expect(answerer.rtc.connectionState).toBe('connected');
    channel(offerer).send('hello');
    channel(answerer).send('world');
    net.run({ until: () => offerer.messages.has('chat') && answerer.messages.has('chat') });
    expect(answerer.messages.get('chat')).toEqual(['hello']);
    expect(offerer.messages.get('chat')).toEqual(['world']);
    // ICE, DTLS and SCTP on a link of 1 ms each way: well below a second.
    expect(net.now).toBeLessThan(300);
  });

  test('F1e: one call shows role, setups, pair, cipher and counters, as JSON', () => {
    const { offerer, answerer } = makeOpenPair();
    const [a, b] = [offerer.rtc.inspect(), answerer.rtc.inspect()];
    expect(JSON.parse(JSON.stringify(a))).toEqual(JSON.parse(JSON.stringify(a)));
    expect(a.dtlsRole).toBe('server');
    expect(b.dtlsRole).toBe('client');
    expect(a.setups).toEqual({ local: 'actpass', remote: 'active' });
    expect(b.setups).toEqual({ local: 'active', remote: 'actpass' });
    expect(a.negotiation.signalingState).toBe('stable');
    expect(JSON.stringify(a)).toContain('TLS_AES_128_GCM_SHA256');
    expect(a.timeout.at).toBeGreaterThan(a.now);
  });

  test('no secret is in inspect()', () => {
    const { offerer } = makeOpenPair();
    const text = JSON.stringify(offerer.rtc.inspect());
    expect(text).not.toContain(offerer.rtc.localParameters.ice.password);
  });

  test('the events of a connection come in their order, channels after the transport', () => {
    const { answerer } = makeOpenPair();
    const types = answerer.events.map((event) =>
      'state' in event ? `${event.type}:${event.state}` : event.type,
    );
    const order = [
      'iceconnectionstatechange:checking',
      'dtlsstatechange:connecting',
      'dtlsstatechange:connected',
      'sctpstatechange:connected',
      'datachannel',
    ];
    expect(types.filter((type) => order.includes(type))).toEqual(order);
  });

  test('without SDP: start() with what the peer says of itself', () => {
    const pair = makeUnsignalledPair();
    const { offerer: a, answerer: b } = pair;
    a.rtc.createChannel('chat');
    a.rtc.start({ ...b.rtc.localParameters, iceRole: 'controlling', dtlsRole: 'client' });
    b.rtc.start({ ...a.rtc.localParameters, iceRole: 'controlled', dtlsRole: 'server' });
    for (const candidate of b.rtc.localCandidates) a.rtc.addRemoteCandidate(candidate);
    runUntilOpen(pair);
    expect(a.rtc.connectionState).toBe('connected');
  });

  test('C10: without fingerprints: only where it is said that any will do, and then it is known who came', () => {
    const dtls = { dangerouslyAcceptAnyFingerprint: true };
    const pair = makeUnsignalledPair({ offerer: { dtls }, answerer: { dtls } });
    const { offerer: a, answerer: b } = pair;
    a.rtc.createChannel('chat');
    const fingerprints: readonly Fingerprint[] = [];
    a.rtc.start({ ...b.rtc.localParameters, fingerprints, iceRole: 'controlling', dtlsRole: 'client' });
    b.rtc.start({ ...a.rtc.localParameters, fingerprints, iceRole: 'controlled', dtlsRole: 'server' });
    for (const candidate of b.rtc.localCandidates) a.rtc.addRemoteCandidate(candidate);
    runUntilOpen(pair);
    expect(a.rtc.remoteFingerprint).toEqual(b.rtc.localParameters.fingerprints[0]);
    expect(b.rtc.remoteFingerprint).toEqual(a.rtc.localParameters.fingerprints[0]);
    expect(a.rtc.remoteCertificate).toBeInstanceOf(Uint8Array);
  });

  test('trickle: candidates signalled after the descriptions, in both directions', () => {
    const pair = makeUnsignalledPair();
    const { net, offerer: a, answerer: b } = pair;
    const draft = a.rtc.negotiation();
    draft.addChannel('chat');
    const offer = draft.offer();
    const bare = offer.sdp.replaceAll(/a=candidate:.*\r\n/g, '');
    offer.accept(
      b.rtc
        .receiveOffer(bare)
        .answer()
        .replaceAll(/a=candidate:.*\r\n/g, ''),
    );
    net.advance(500);
    expect(a.channels.size).toBe(0);
    const line = /a=(candidate:.*)\r\n/.exec(offer.sdp)?.[1] ?? '';
    b.rtc.addRemoteCandidate({ candidate: line, sdpMid: offer.mid ?? null, sdpMLineIndex: offer.mLineIndex });
    b.rtc.addRemoteCandidate('');
    runUntilOpen(pair);
  });

  test('a round trip that takes no time, as on a coarse clock', () => {
    const { offerer } = makeOpenPair({ conditions: { latency: 0 } });
    expect(offerer.rtc.connectionState).toBe('connected');
  });

  test("a browser's RTCIceCandidate, handed over as it is", () => {
    const { offerer } = makePair();
    const before = offerer.rtc.inspect().ice.remoteCandidates.length;
    const line = 'candidate:1 1 udp 2122194687 192.0.2.77 40866 typ host generation 0';
    const native = { candidate: line, foundation: '1', component: 'rtp', address: '192.0.2.77', port: 40866 };
    offerer.rtc.addRemoteCandidate(native);
    offerer.rtc.handleInput({ type: 'timeout', now: 1 });
    expect(offerer.rtc.inspect().ice.remoteCandidates.length).toBeGreaterThan(before);
  });

  test('an answerer that is ICE lite', () => {
    const pair = makePair({ answerer: { iceLite: true } });
    runUntilOpen(pair);
    expect(pair.offerer.rtc.inspect().ice.role).toBe('controlling');
  });

  test('an offerer that is ICE lite', () => {
    const pair = makePair({ offerer: { iceLite: true } });
    runUntilOpen(pair);
    expect(pair.answerer.rtc.inspect().ice.role).toBe('controlling');
  });

  test.each(['active', 'passive'] as const)('F1a: an answerer configured %s', (setup) => {
    const pair = makePair({ answerer: { setup } });
    runUntilOpen(pair);
    expect(pair.answerer.rtc.inspect().dtlsRole).toBe(setup === 'active' ? 'client' : 'server');
  });

  test('both crypto providers talk to each other', () => {
    const pair = makePair({ offerer: { crypto: nodeCrypto() } });
    runUntilOpen(pair);
    expect(pair.offerer.rtc.connectionState).toBe('connected');
  });

  test('B7: a negotiated channel made 200 ms after its first message: both live, and nothing is lost', () => {
    const pair = makeOpenPair();
    const early = pair.offerer.rtc.createChannel('n', { negotiated: true, id: 10 });
    pair.net.run({ limit: 50 });
    expect(early.send('first')).toBe(true);
    pair.net.run({ limit: 200 });
    const late = pair.answerer.rtc.createChannel('n', { negotiated: true, id: 10 });
    pair.net.run({ limit: 500 });
    expect([early.readyState, late.readyState]).toEqual(['open', 'open']);
    early.send('second');
    late.send('back');
    pair.net.run({ limit: 500 });
    expect([pair.answerer.messages.get('n'), pair.offerer.messages.get('n')]).toEqual([
      ['first', 'second'],
      ['back'],
    ]);
  });

  test('rollback takes an offer back, and its channels', () => {
    const { offerer } = makeUnsignalledPair();
    const draft = offerer.rtc.negotiation();
    const chat = draft.addChannel('chat');
    const offer = draft.offer();
    expect(offerer.rtc.signalingState).toBe('have-local-offer');
    offer.rollback();
    expect(offerer.rtc.signalingState).toBe('stable');
    expect(chat.readyState).toBe('closed');
    expect(() => {
      offer.accept('v=0');
    }).toThrow(expect.objectContaining({ code: 'ERR_INVALID_STATE' }));
  });

  test('a refused description throws a typed error and changes nothing', () => {
    const { offerer, answerer } = makeUnsignalledPair();
    expect(() => answerer.rtc.receiveOffer('nonsense')).toThrow(expect.objectContaining({ code: 'ERR_SDP' }));
    const offer = offerer.rtc.negotiation().offer();
    const before = offerer.rtc.inspect();
    const answer = answerer.rtc.receiveOffer(offer.sdp).answer();
    const actpass = answer.replace('a=setup:active', 'a=setup:actpass');
    expect(() => {
      offer.accept(actpass);
    }).toThrow(expect.objectContaining({ code: 'ERR_SDP', sdpCode: 'setup-invalid-answer' }));
    expect(offerer.rtc.inspect()).toEqual(before);
    offer.accept(answer);
    expect(offerer.rtc.signalingState).toBe('stable');
  });
});

describe('talking', () => {
  test('strings, binary and empty messages of all sizes up to 256 KiB', () => {
    const { net, offerer, answerer } = makeOpenPair();
    const sizes = [1, 2, 1000, 1159, 1160, 1161, 65_535, 65_536, 262_144];
    const random = new SeededRandom(7);
    const sent: (string | Bytes)[] = ['', new Uint8Array(0), 'ünïcödé ✓ 🎉'];
    for (const size of sizes) {
      const bytes = new Uint8Array(size);
      random.fill(bytes);
      sent.push(bytes, 'x'.repeat(size));
    }
    for (const message of sent) expect(channel(offerer).send(message)).toBe(true);
    net.run({ until: () => (answerer.messages.get('chat')?.length ?? 0) === sent.length, limit: 60_000 });
    expect(answerer.messages.get('chat')).toEqual(sent);
  });

  test('an unordered channel without retransmissions delivers what arrives and nothing twice', () => {
    const { net, offerer, answerer } = makeOpenPair({ conditions: { latency: 20, loss: 0.05 } });
    offerer.rtc.createChannel('lossy', { ordered: false, maxRetransmits: 0 });
    net.run({ until: () => offerer.channels.has('lossy') });
    for (let i = 0; i < 400; i++) {
      channel(offerer, 'lossy').send(String(i));
      net.advance(2);
    }
    net.advance(5000);
    const arrived = answerer.messages.get('lossy') ?? [];
    expect(new Set(arrived).size).toBe(arrived.length);
    expect(arrived.length).toBeGreaterThan(300);
    expect(arrived.length).toBeLessThan(400);
  });

  test('send answers false when the buffer is full, bufferedamountlow says when to go on', () => {
    const { net, offerer, answerer } = makeOpenPair({
      conditions: { latency: 10 },
      offerer: { sctp: { sendBuffer: 300_000 } },
    });
    const chat = channel(offerer);
    chat.bufferedAmountLowThreshold = 65_536;
    const piece = new Uint8Array(60_000);
    let accepted = 0;
    while (chat.send(piece)) accepted++;
    expect(accepted).toBeGreaterThan(2);
    expect(accepted).toBeLessThan(10);
    net.run({ until: () => offerer.events.some(({ type }) => type === 'bufferedamountlow') });
    expect(chat.bufferedAmount).toBeLessThanOrEqual(65_536);
    expect(chat.send(piece)).toBe(true);
    net.run({ until: () => answerer.messages.get('chat')?.length === accepted + 1 });
  });
});

describe('closing', () => {
  test('a channel: both ends see it, the connection lives', () => {
    const { net, offerer, answerer } = makeOpenPair();
    channel(offerer).send('last words');
    channel(offerer).close();
    net.advance(1000);
    expect(answerer.messages.get('chat')).toEqual(['last words']);
    for (const end of [offerer, answerer]) {
      expect(end.events.filter(({ type }) => type === 'channelclose')).toHaveLength(1);
      expect(channel(end).readyState).toBe('closed');
      expect(end.rtc.connectionState).toBe('connected');
    }
  });

  test.each(['offerer', 'answerer'] as const)('F2c: the connection, by the %s', (who) => {
    const pair = makeOpenPair();
    const [closer, other] = who === 'offerer' ? [pair.offerer, pair.answerer] : [pair.answerer, pair.offerer];
    closer.rtc.close();
    pair.net.advance(100);
    expect(closedReason(closer)?.code).toBe('local-close');
    expect(closedReason(other)?.code).toBe('remote-close');
    for (const end of [closer, other]) {
      expect(end.events.at(-1)?.type).toBe('closed');
      expect(end.events.filter(({ type }) => type === 'channelclose')).toHaveLength(1);
      expect(end.rtc.pollOutput()).toEqual({ type: 'timeout', at: Infinity, reason: 'idle' });
      expect(end.rtc.connectionState).toBe('closed');
    }
  });

  test('F2c: closing with a thousand messages queued releases all of it in the same call', () => {
    const { net, offerer } = makeOpenPair({ conditions: { latency: 50 } });
    for (let i = 0; i < 1000; i++) channel(offerer).send('x'.repeat(1000));
    offerer.rtc.close();
    const { sctp, queued } = offerer.rtc.inspect();
    expect(channel(offerer).bufferedAmount).toBe(0);
    expect(JSON.stringify(sctp)).not.toContain('"armed":true');
    expect(queued.farewells).toBeGreaterThan(0);
    net.advance(10);
    expect(offerer.rtc.inspect().queued).toEqual({ events: 0, farewells: 0 });
  });

  test('before anything has happened', () => {
    const { net, offerer } = makePair();
    offerer.rtc.close();
    net.advance(1);
    expect(offerer.events.at(-1)).toMatchObject({ type: 'closed', reason: { code: 'local-close' } });
    expect(() => offerer.rtc.createChannel('late')).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_STATE' }),
    );
  });
});
