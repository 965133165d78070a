/** `opened`, `drained`, `send`, `shutdown`: what settles them, and that something does. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { RtcError } from '../../src/index.ts';
import { drained, messages, opened, send, shutdown, StreamsError } from '../../src/streams/index.ts';
import { channel, closedReason, makeOpenPair, makePair, makeUnsignalledPair } from '../rtc/pair.ts';
import { pass, through, turn } from './virtual.ts';

const KIB = new Uint8Array(1024);
const RATE = { latency: 20, rate: 1_000_000 };

/** Fills the channel over what the path takes at once. */
function fill(chat: { send(data: Uint8Array): boolean }, messageCount = 400): void {
  for (let i = 0; i < messageCount; i++) expect(chat.send(KIB)).toBe(true);
}

describe('opened', () => {
  test('resolves with the channel, over a path that loses much', async () => {
    const pair = makeUnsignalledPair({ conditions: { latency: 20, loss: 0.2 } });
    const draft = pair.offerer.rtc.negotiation();
    const chat = draft.addChannel('chat');
    const promise = opened(chat);
    const offer = draft.offer();
    offer.accept(pair.answerer.rtc.receiveOffer(offer.sdp).answer());
    expect(await through(pair, promise)).toBe(chat);
    expect(chat.readyState).toBe('open');
    expect(await opened(chat)).toBe(chat); // at once
  });

  test('no path: the connection says why', async () => {
    const pair = makePair();
    pair.net.partition([pair.offerer.host]);
    const chat = pair.offerer.rtc.createChannel('later');
    const error: unknown = await through(pair, opened(chat)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(StreamsError);
    expect(error).toBeInstanceOf(RtcError);
    expect(error).toMatchObject({ code: 'ERR_CLOSED', failure: { layer: 'ice', code: 'connect-timeout' } });
    expect((error as Error).message).toContain('"opened" of the channel "later"');
  });

  test('the connection closes first; a draft that came to nothing', async () => {
    const { offerer, net } = makeUnsignalledPair();
    const drafted = offerer.rtc.negotiation().addChannel('never');
    const promises = [opened(drafted), opened(offerer.rtc.createChannel('neither'))];
    offerer.rtc.close();
    for (const outcome of await through({ net }, Promise.allSettled(promises)))
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'ERR_CLOSED' } });
    await expect(opened(drafted)).rejects.toMatchObject({ code: 'ERR_CLOSED' });
  });

  test('messages that come with the news are not lost for who reads after it', async () => {
    const pair = makePair({ conditions: { latency: 20 } });
    // The peer speaks as soon as it has the channel: its words are in the datagram that brings the ACK, or right behind.
    pair.answerer.tap.hears = (event) => {
      if (event.type !== 'datachannel') return;
      for (const word of ['one', 'two', 'three']) event.channel.send(word);
    };
    const chat = pair.offerer.rtc.createChannel('greeted');
    const read = (async () => {
      await opened(chat);
      const words = [];
      for await (const word of messages(chat)) if (words.push(word) === 3) break;
      return words;
    })();
    expect(await through(pair, read)).toEqual(['one', 'two', 'three']);
    // Whoever listens to events alone has them all the same, a turn later.
    const other = pair.offerer.rtc.createChannel('heard');
    await through(pair, opened(other));
    await pass(pair, 100);
    expect(pair.offerer.messages.get('heard')).toEqual(['one', 'two', 'three']);
  });
});

describe('drained', () => {
  test('at once where nothing is buffered; else when it has fallen to `below`, for each who waits', async () => {
    const pair = makeOpenPair({ conditions: RATE });
    const chat = channel(pair.offerer);
    await drained(chat);
    fill(chat);
    const levels: number[] = [];
    const waits = [0, 100_000, 300_000, 200_000].map(async (below) => {
      await drained(chat, { below });
      expect(chat.bufferedAmount).toBeLessThanOrEqual(below);
      levels.push(below);
    });
    await through(pair, Promise.all(waits));
    expect(levels).toEqual([300_000, 200_000, 100_000, 0]);
  });

  test("the application's own threshold has its events all the same, and is there again afterwards", async () => {
    const pair = makeOpenPair({ conditions: RATE });
    const chat = channel(pair.offerer);
    chat.bufferedAmountLowThreshold = 150_000;
    const lows: number[] = [];
    pair.offerer.tap.hears = ({ type }) => {
      if (type === 'bufferedamountlow') lows.push(chat.bufferedAmount);
    };
    fill(chat);
    await through(pair, Promise.all([drained(chat), drained(chat, { below: 250_000 })]));
    expect(lows.filter((amount) => amount <= 150_000 && amount > 140_000)).toHaveLength(1);
    expect(chat.bufferedAmountLowThreshold).toBe(150_000);
  });

  test('after close() of the channel it waits for the rest', async () => {
    const pair = makeOpenPair({ conditions: RATE });
    const chat = channel(pair.offerer);
    fill(chat);
    const promise = drained(chat);
    chat.close();
    await through(pair, promise);
    await pass(pair, 1000);
    expect(pair.answerer.messages.get('chat')).toHaveLength(400);
    await expect(drained(chat)).rejects.toMatchObject({ code: 'ERR_CLOSED' });
  });

  test.each(['channel', 'connection'] as const)(
    'the peer closes the %s: what was queued is dropped',
    async (what) => {
      const pair = makeOpenPair({ conditions: RATE });
      const chat = channel(pair.offerer);
      fill(chat);
      const promise = drained(chat);
      if (what === 'channel') channel(pair.answerer).close();
      else pair.answerer.rtc.close();
      await expect(through(pair, promise)).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    },
  );

  test('this end closes the connection; it shuts it down', async () => {
    for (const how of ['close', 'shutdown'] as const) {
      const pair = makeOpenPair({ conditions: RATE });
      const chat = channel(pair.offerer);
      fill(chat);
      const promise = drained(chat);
      pair.offerer.rtc[how]();
      if (how === 'shutdown') await through(pair, promise);
      else await expect(through(pair, promise)).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    }
  });

  test('the connection is lost: its gate says so', async () => {
    const pair = makeOpenPair({ conditions: RATE });
    const chat = channel(pair.offerer);
    fill(chat);
    pair.net.partition([pair.offerer.host]);
    const error: unknown = await through(pair, drained(chat), 200_000).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'ERR_CLOSED' });
    expect((error as StreamsError).failure).toEqual(closedReason(pair.offerer));
  });
});

describe('send', () => {
  test('waits for the channel to open; in the order of the calls, awaited or not', async () => {
    const pair = makePair({ conditions: { latency: 20, loss: 0.1, rate: 2_000_000 } });
    const chat = pair.offerer.rtc.createChannel('numbers');
    const sent = Array.from({ length: 500 }, (_, i) => send(chat, String(i), { highWaterMark: 200 }));
    await through(pair, Promise.all(sent));
    await pass(pair, 2000);
    expect(pair.answerer.messages.get('numbers')).toEqual(Array.from({ length: 500 }, (_, i) => String(i)));
  });

  test('holds no more than the mark and a message, however slow the path is', async () => {
    const pair = makeOpenPair({ conditions: { latency: 50, rate: 400_000 } });
    const chat = channel(pair.offerer);
    let most = 0;
    const writing = (async () => {
      for (let i = 0; i < 500; i++) {
        await send(chat, KIB, { highWaterMark: 20_000 });
        most = Math.max(most, chat.bufferedAmount);
      }
    })();
    await through(pair, writing);
    expect(most).toBeGreaterThan(10_000);
    expect(most).toBeLessThan(20_000 + KIB.length);
  });

  test('other channels have filled the connection: it waits for room, and gets it', async () => {
    const pair = makeOpenPair({ conditions: RATE, offerer: { sctp: { sendBuffer: 100_000 } } });
    const full = channel(pair.offerer);
    while (full.send(KIB));
    const chat = pair.offerer.rtc.createChannel('late');
    await through(pair, opened(chat));
    while (full.send(KIB));
    await through(pair, send(chat, new Uint8Array(60_000)));
    await pass(pair, 2000);
    expect(pair.answerer.messages.get('late')).toHaveLength(1);
  });

  test('what the peer does not take, and what is no message', async () => {
    const pair = makeOpenPair({ answerer: { maxMessageSize: 1024 } });
    const chat = channel(pair.offerer);
    await expect(send(chat, new Uint8Array(1025))).rejects.toMatchObject({ code: 'ERR_TOO_LARGE' });
    await expect(send(chat, 'ü'.repeat(600))).rejects.toMatchObject({ code: 'ERR_TOO_LARGE' });
    await expect(send(chat, 5 as never)).rejects.toMatchObject({ code: 'ERR_BAD_ARGUMENT' });
    await send(chat, 'ü'.repeat(500));
  });

  test('a deadline, an abort: the message is not sent, those behind it are', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const { net, offerer, answerer } = makeOpenPair({ conditions: RATE });
      const chat = channel(offerer);
      fill(chat);
      const abort = new AbortController();
      const late = send(chat, 'late', { timeout: 1000 });
      const unwanted = send(chat, 'unwanted', { signal: abort.signal });
      const good = send(chat, 'good');
      const outcomes = Promise.allSettled([late, unwanted]);
      abort.abort(new Error('no longer'));
      vi.advanceTimersByTime(1000);
      const [first, second] = await outcomes;
      expect(first).toMatchObject({ reason: { code: 'ERR_TIMEOUT' } });
      expect(second).toMatchObject({ reason: { message: 'no longer' } });
      net.run({ limit: 10_000 });
      await good;
      net.run({ limit: 1000 });
      expect(answerer.messages.get('chat')?.slice(400)).toEqual(['good']);
      await expect(send(chat, 'x', { signal: abort.signal })).rejects.toThrow('no longer');
    } finally {
      vi.useRealTimers();
    }
  });

  test('the channel closes: all that wait are told', async () => {
    const pair = makeOpenPair({ conditions: RATE });
    const chat = channel(pair.offerer);
    fill(chat);
    const waiting = Promise.allSettled([send(chat, 'a'), send(chat, 'b')]);
    channel(pair.answerer).close();
    for (const outcome of await through(pair, waiting))
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'ERR_CLOSED' } });
    await expect(send(chat, 'c')).rejects.toMatchObject({ code: 'ERR_CLOSED' });
  });
});

describe('shutdown', () => {
  test.each([0, 0.1])(
    'all that was sent is delivered, what waits to be accepted too (loss %d)',
    async (loss) => {
      const pair = makeOpenPair({ conditions: { ...RATE, loss } });
      const chat = channel(pair.offerer);
      const sent = Array.from({ length: 600 }, () => send(chat, KIB));
      await through(pair, shutdown(pair.offerer.rtc));
      expect(pair.answerer.messages.get('chat')).toHaveLength(600);
      await Promise.all(sent);
      expect(closedReason(pair.offerer)).toMatchObject({ code: 'local-close' });
      await shutdown(pair.offerer.rtc); // over already
    },
  );

  test('of a connection that is not up yet: at once', async () => {
    const pair = makePair();
    const chat = pair.offerer.rtc.createChannel('never');
    const lost = expect(send(chat, 'nobody hears')).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    await through(pair, shutdown(pair.offerer.rtc), 100);
    await lost;
    expect(pair.offerer.rtc.isEmpty).toBe(true);
  });

  test('the peer has closed at once, the path is lost: why not', async () => {
    for (const [cut, code] of [
      [false, 'remote-close'],
      [true, 'shutdown-timeout'],
    ] as const) {
      const pair = makeOpenPair({ conditions: RATE, offerer: { pathDownTimeout: 600_000 } });
      fill(channel(pair.offerer));
      const promise = shutdown(pair.offerer.rtc);
      if (cut) pair.net.partition([pair.offerer.host]);
      else pair.answerer.rtc.close();
      const error: unknown = await through(pair, promise, 900_000).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'ERR_CLOSED' });
      expect((error as StreamsError).failure?.code).toBe(cut ? closedReason(pair.offerer)?.code : code);
    }
  });

  test('an abort closes at once', async () => {
    const pair = makeOpenPair({ conditions: RATE });
    fill(channel(pair.offerer));
    const abort = new AbortController();
    const promise = shutdown(pair.offerer.rtc, { signal: abort.signal });
    const reason = new Error('enough');
    abort.abort(reason);
    await expect(promise).rejects.toBe(reason);
    await pass(pair, 100);
    expect(pair.offerer.rtc.isEmpty).toBe(true);
    expect(closedReason(pair.answerer)).toMatchObject({ code: 'remote-close' });
  });
});

describe('a host that does not poll', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('every promise ends all the same, after 150 s without progress', async () => {
    const { offerer } = makeOpenPair({ conditions: RATE });
    const chat = channel(offerer);
    fill(chat);
    const waits = [
      opened(offerer.rtc.createChannel('later')),
      drained(chat),
      send(chat, 'x'),
      shutdown(offerer.rtc),
    ];
    const outcomes = Promise.allSettled(waits);
    vi.advanceTimersByTime(149_999);
    await Promise.resolve();
    vi.advanceTimersByTime(1);
    for (const outcome of await outcomes) {
      expect(outcome.status).toBe('rejected');
      expect((outcome as PromiseRejectedResult).reason).toBeInstanceOf(StreamsError);
    }
  });

  test('progress counts: a slow channel is no end', async () => {
    const { net, offerer } = makeOpenPair({ conditions: { latency: 20, rate: 64_000 } });
    const chat = channel(offerer);
    fill(chat);
    const state = { isSettled: false };
    const promise = drained(chat).then(() => {
      state.isSettled = true;
    });
    for (let second = 0; second < 120 && !state.isSettled; second++) {
      net.run({ limit: 1000 });
      vi.advanceTimersByTime(149_000);
      await Promise.resolve();
    }
    await promise;
  });
});

test('misuse is a rejection with its code', async () => {
  const { offerer } = makeOpenPair();
  const chat = channel(offerer);
  for (const promise of [
    opened({} as never),
    drained(undefined as never),
    send(chat, 'x', { timeout: 0 }),
    drained(chat, { below: -1 }),
    drained(chat, { bellow: 1 } as never),
    opened(chat, { signal: {} as never }),
    shutdown({} as never),
    shutdown(offerer.rtc, { timeout: NaN }),
  ])
    await expect(promise).rejects.toMatchObject({ code: 'ERR_BAD_ARGUMENT' });
  await turn();
});
