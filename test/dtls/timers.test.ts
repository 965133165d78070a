/** Retransmission, deadlines and clocks. Times are those of the virtual clock, in ms. */
import { describe, expect, it } from 'vitest';
import { Clock, FREEZE, THAW_GRACE } from '../../src/core/clock.ts';
import { Dtls } from '../../src/dtls/index.ts';
import { Pair, connectedPair, dropping, engineOptions, PERFECT } from './pair.ts';

function drain(engine: Dtls): number {
  let datagrams = 0;
  while (engine.pollTransmit() !== undefined) datagrams++;
  return datagrams;
}

/** The times at which a client without a peer sends its hello. */
function helloTimes(options: { retransmitTimeout?: number }): number[] {
  const client = new Dtls({ ...engineOptions('client'), ...options });
  client.start(0);
  const times: number[] = [];
  for (let now = 0; now < Infinity; now = client.nextTimeout()) {
    client.handleTimeout(now);
    // F1: what a timer has caused can be polled at once.
    for (let left = drain(client); left > 0; left--) times.push(now);
  }
  return times;
}

describe('retransmission', () => {
  it('T060 F1f doubles from 400 ms to 3 s, until the deadline', () => {
    expect(helloTimes({})).toEqual([0, 400, 1200, 2800, 5800, 8800, 11_800, 14_800]);
  });

  it.each([
    [180, 180],
    [80, 100],
    [1, 100],
    [60_000, 3000],
  ])('T064 begins with twice the round trip, %i ms, held within 100 … 3000', (given, first) => {
    expect(helloTimes({ retransmitTimeout: given })[1]).toBe(first);
  });

  it('T060 a new flight begins with the first timeout again', () => {
    // ClientHello is lost at 0 and 400 and arrives at 1210, answered at once; flight 5, sent at 1220, is lost once.
    const pair = new Pair({ wire: dropping(0, 1, 4), server: { retransmitTimeout: 3000 } }).start().run();
    const times = pair.sent.filter(({ from }) => from === 'client').map(({ at }) => at);
    expect(times).toEqual([0, 400, 1200, 1220, 1620]);
  });

  it.each([
    ['was asked for once: half as long again', 300, [], [0, 450]],
    ['was asked for twice: counted from the second time', 700, [], [0, 400, 450]],
    ['came sooner than any answer to the last can: counted from the one before', 410, [], [0, 400, 615]],
    ['came as soon as ever, the first one being lost', 410, [0], [0, 400, 400]],
    ['is slower than any timeout may be', 5000, [], [0, 400, 1200, 2800, 3000]],
  ] as const)('T060 an answer that %s', (_what, latency, lost, expected) => {
    // The server is as far as its round trip of 200 ms says, and busy: its ServerHello comes `latency` after the ClientHello.
    const pair = new Pair({
      client: { retransmitTimeout: 400, versions: { min: '1.3', max: '1.3' } },
      server: { retransmitTimeout: 3000, versions: { min: '1.3', max: '1.3' } },
    });
    let isFirst = true;
    pair.wire = ({ data, from, index }) => {
      if ((lost as readonly number[]).includes(index)) return [];
      if (from === 'client') return index > 0 && data[0] !== 22 ? [] : [{ data, after: 5 }];
      const copies = isFirst ? [{ data, after: latency - 5 - (lost.length > 0 ? 205 : 0) }] : [];
      isFirst = false;
      return copies;
    };
    pair.start().runTo(5000 + 3100);
    const hellos = pair.sent.filter(({ from, data }) => from === 'client' && data[0] === 22);
    const flight5 = pair.sent.filter(({ from, data }) => from === 'client' && data[0] !== 22);
    const [begun, again] = flight5.map(({ at }) => at);
    expect([...hellos.map(({ at }) => at), (again ?? 0) - (begun ?? 0)]).toEqual(expected);
  });

  it('a timer that is late repeats nothing at once, and the next time it does', () => {
    const client = new Dtls(engineOptions('client'));
    client.start(0);
    drain(client);
    client.handleTimeout(400 + 51);
    expect(drain(client)).toBe(0);
    expect(client.nextTimeout()).toBe(451 + 51);
    client.handleTimeout(900);
    expect(drain(client)).toBe(1);
    expect(client.nextTimeout()).toBe(900 + 800);
    // As late as it is, it waits no longer than its own time once more.
    client.handleTimeout(3000);
    expect([drain(client), client.nextTimeout()]).toEqual([0, 3000 + 800]);
    client.handleTimeout(3800);
    expect([drain(client), client.nextTimeout()]).toEqual([1, 3800 + 1600]);
    // A little late is not late.
    client.handleTimeout(3800 + 1600 + 200);
    expect(drain(client)).toBe(1);
    expect(client.inspect().counters).toMatchObject({ retransmissions: 3, retransmissionsDeferred: 2 });
  });

  it('T061 a repeated flight has new record numbers and the same messages', () => {
    const client = new Dtls(engineOptions('client'));
    client.start(0);
    const first = client.pollTransmit() ?? new Uint8Array();
    client.handleTimeout(400);
    const second = client.pollTransmit() ?? new Uint8Array();
    expect([...first.subarray(5, 11)]).toEqual([0, 0, 0, 0, 0, 0]);
    expect([...second.subarray(5, 11)]).toEqual([0, 0, 0, 0, 0, 1]);
    expect(second.subarray(11)).toEqual(first.subarray(11));
  });

  it('T062 stops when the peer has answered', () => {
    const { client, server } = connectedPair();
    expect([client.nextTimeout(), server.nextTimeout()]).toEqual([Infinity, Infinity]);
    expect([client.timeoutReason(), server.timeoutReason()]).toEqual([undefined, undefined]);
    // The client's flight has been answered; the server's last one may be asked for until data shows that it has come.
    expect(client.inspect().handshake.flight.messages).toBe(0);
    expect(server.inspect().handshake.flight.messages).toBe(2);
  });

  it('T062 forgets the final flight once the peer has shown that it has it', () => {
    const pair = connectedPair();
    pair.sendText('client', 'got it');
    pair.runTo(pair.now + 100);
    expect(pair.server.inspect().handshake).toMatchObject({ peerConfirmed: true, flight: { messages: 0 } });
  });

  it('names its timers', () => {
    const { client, server } = new Pair().start();
    expect(client.timeoutReason()).toBe('dtlsRetransmit');
    expect(server.timeoutReason()).toBe('dtlsHint');
  });

  it('T059 the final flight is repeated for every repetition of the Finished it answers, and only then', () => {
    // Flight 6 is lost twice: the client repeats flight 5, and the server its Finished.
    const pair = new Pair({ wire: dropping(3, 5) }).start().run();
    expect(pair.connected).toBe(true);
    expect(pair.server.inspect().counters).toMatchObject({ repetitions: 2, retransmissions: 0 });
    expect(pair.client.inspect().counters).toMatchObject({ retransmissions: 2 });
  });

  it('T058 a repeated ClientHello asks for the server flight again while that is unanswered', () => {
    // ClientHello → ; ← flight 4 lost; ClientHello again →
    const pair = new Pair({ wire: dropping(1) }).start();
    pair.runTo(10);
    const hello = pair.sent[0]?.data ?? new Uint8Array();
    pair.server.handlePacket(hello, 20);
    pair.drain();
    expect(pair.sent).toHaveLength(3);
    pair.run();
    expect(pair.connected).toBe(true);
    expect(pair.server.inspect().counters.repetitions).toBe(1);
  });

  it('T058 a flight that waits to be polled is not repeated', () => {
    const pair = new Pair().start();
    const hello = pair.sent[0]?.data ?? new Uint8Array();
    for (let i = 0; i < 3; i++) pair.server.handlePacket(hello, 1);
    expect(drain(pair.server)).toBe(1);
    expect(pair.server.inspect().counters.repetitions).toBe(0);
  });

  it('T058 after the handshake a ClientHello changes nothing and is answered with nothing', () => {
    const pair = connectedPair();
    const hello = pair.sent[0]?.data ?? new Uint8Array();
    pair.server.handlePacket(hello, pair.now);
    expect(pair.server.pollTransmit()).toBeUndefined();
    expect(pair.server.state).toBe('connected');
    expect(pair.server.inspect().counters.plaintextIgnored).toBe(1);
  });

  it('SEC-16 a mirror on the path does not make it chatter', () => {
    const server = new Dtls(engineOptions('server'));
    const client = new Dtls(engineOptions('client'));
    server.start(0);
    client.start(0);
    const hello = client.pollTransmit() ?? new Uint8Array();
    server.handlePacket(hello, 1);
    const flight = server.pollTransmit() ?? new Uint8Array();
    server.handlePacket(flight.subarray(0, 13 + 12 + 60), 2);
    expect(server.pollTransmit()).toBeUndefined();
  });
});

describe('deadline', () => {
  it('T063 F1f fires once, at 15 s, and leaves nothing armed or queued', () => {
    const client = new Dtls(engineOptions('client'));
    client.start(1000);
    for (let at = client.nextTimeout(); at < 16_000; at = client.nextTimeout()) client.handleTimeout(at);
    drain(client);
    expect(client.nextTimeout()).toBe(16_000);
    client.handleTimeout(16_000);
    expect(client.pollEvent()).toMatchObject({ type: 'warning' });
    expect(client.pollEvent()).toMatchObject({
      type: 'closed',
      failure: {
        layer: 'dtls',
        code: 'no-response',
        gate: 'dtlsHandshake',
        elapsed: 15_000,
        peerSilentFor: 15_000,
      },
    });
    expect(client.pollEvent()).toBeUndefined();
    expect([client.nextTimeout(), client.pollTransmit(), client.state]).toEqual([
      Infinity,
      undefined,
      'failed',
    ]);
  });

  it('F1f says where a handshake stood still', () => {
    // Everything of the server after its first flight is lost.
    const pair = new Pair({ wire: (sent) => (sent.index > 2 ? [] : PERFECT(sent)) }).start().run();
    expect(pair.events.client.at(-1)).toMatchObject({
      failure: { code: 'handshake-timeout', message: expect.stringContaining('await-finished') },
    });
  });

  it('after every timeout the next one is later, whatever the step', () => {
    for (const step of [7, 399, 400, 1000, 2999]) {
      const client = new Dtls(engineOptions('client'));
      client.start(0);
      for (let now = 0; now < 60_000 && client.state === 'connecting'; now += step) {
        client.handleTimeout(now);
        expect(client.nextTimeout()).toBeGreaterThan(now);
      }
    }
  });

  it('F5b a clock that jumps by a minute is no retransmission, and one more chance', () => {
    const pair = new Pair().start();
    pair.runTo(10);
    // The machine freezes with the server's flight in its socket.
    pair.now = 60_000;
    pair.client.handleTimeout(60_000);
    pair.drain();
    expect(pair.client.inspect().counters).toMatchObject({ retransmissions: 0, retransmissionsDeferred: 1 });
    expect(pair.client.state).toBe('connecting');
    pair.server.handleTimeout(60_000);
    pair.run(62_000);
    expect(pair.connected).toBe(true);
  });

  it('F5b and one chance only', () => {
    const server = new Dtls(engineOptions('server'));
    server.start(0);
    server.handleTimeout(60_000);
    expect(server.state).toBe('connecting');
    expect(server.timeoutReason()).toBe('dtlsHandshake');
    server.handleTimeout(server.nextTimeout());
    expect(server.state).toBe('failed');
  });

  it('F5b even when it freezes again', () => {
    const server = new Dtls(engineOptions('server'));
    server.start(0);
    server.handleTimeout(60_000);
    server.handleTimeout(120_000);
    expect(server.state).toBe('failed');
  });

  it('F5b with a clock of its own the gate is longer by what was missed, no less than the grace', () => {
    const client = new Dtls(engineOptions('client'));
    client.start(0);
    client.handleTimeout(400);
    // The next retransmission was due at 1200.
    client.handleTimeout(11_200);
    expect(client.inspect().timers).toMatchObject({ dtlsHandshake: 25_000 });

    const late = new Dtls(engineOptions('server'));
    late.start(0);
    late.handleTimeout(3000);
    // Only the gate itself is left, due at 15000.
    late.handleTimeout(15_000 + FREEZE);
    expect(late.inspect().timers).toEqual({ dtlsHandshake: 15_000 + FREEZE + THAW_GRACE });
  });

  it('F5b is forgiven once more when the peer was heard under protection, and not for plaintext', () => {
    const clock = new Clock(true, 0);
    let heard = 0;
    clock.hear = () => heard++;
    const pair = new Pair({ server: { clock } }).start();
    pair.runTo(15);
    expect([pair.server.inspect().handshake.flight.number, heard]).toEqual([4, 0]);
    pair.run();
    expect(pair.connected).toBe(true);
    expect(heard).toBeGreaterThan(0);
  });

  it('F5b on a shared clock the owner alone says that the host stood still', () => {
    const clock = new Clock(true, 0);
    const server = new Dtls({ ...engineOptions('server'), clock });
    clock.advance(0, server);
    server.start(0);
    clock.advance(10_000, server);
    server.handleTimeout(10_000);
    // The hint was due at 3000.
    expect(server.inspect().timers).toEqual({ dtlsHandshake: 15_000 + 7000 });
    server.handleTimeout(30_000);
    expect([server.state, clock.now, clock.freezes]).toEqual(['connecting', 10_000, 1]);
    clock.advance(22_000, server);
    server.handleTimeout(22_000);
    expect(server.pollEvent()).toMatchObject({ type: 'warning' });
    expect(server.pollEvent()).toMatchObject({ failure: { gate: 'dtlsHandshake', elapsed: 22_000 } });
  });

  it('F5b a freeze with nothing awaited arms nothing', () => {
    const { client, now } = connectedPair();
    client.thaw(60_000);
    client.handleTimeout(now + 60_000);
    expect([client.state, client.nextTimeout()]).toEqual(['connected', Infinity]);
    const fresh = new Dtls(engineOptions('client'));
    fresh.thaw(60_000);
    expect(fresh.nextTimeout()).toBe(Infinity);
  });

  it('a clock that goes back is taken for one that stands still', () => {
    const client = new Dtls(engineOptions('client'));
    client.start(1000);
    client.handlePacket(new Uint8Array(20), 500);
    client.handleTimeout(0);
    expect(client.nextTimeout()).toBe(1400);
    expect(drain(client)).toBe(1);
  });
});

describe('what counts as hearing the peer, once connected', () => {
  /** How long the peer has been silent, as the failure says with which the server ends now. */
  function silence(pair: Pair): number | undefined {
    pair.server.setRemoteFingerprints(
      [{ algorithm: 'sha-256', value: 'AA'.repeat(32).replace(/..(?=.)/g, '$&:') }],
      pair.now,
    );
    const event = pair.server.pollEvent();
    return event?.type === 'closed' ? event.failure?.peerSilentFor : undefined;
  }

  it('a handshake message in plaintext does not, the same under protection does', () => {
    const finished = (pair: Pair): Uint8Array =>
      pair.sent.filter(({ from }) => from === 'client').at(-1)?.data ?? new Uint8Array();
    const deaf = connectedPair();
    const [hello] = deaf.sent;
    deaf.now += 5000;
    deaf.server.handlePacket(hello?.data ?? new Uint8Array(), deaf.now);
    expect(silence(deaf)).toBeGreaterThanOrEqual(5000);

    // DTLS 1.2's client repeats its last flight under new record numbers, for it has not got the server's.
    const pair = new Pair({ wire: dropping(3) }).start();
    pair.runTo(30);
    expect(pair.server.state).toBe('connected');
    pair.runTo(500);
    expect(finished(pair).length).toBeGreaterThan(100);
    expect(pair.server.inspect().counters.fragmentsRepeated).toBeGreaterThan(0);
    expect(silence(pair)).toBeLessThan(100);
  });
});
