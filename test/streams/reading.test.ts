/** `messages`, `readable`, `writable`: back-pressure both ways, and how they end. */
import { describe, expect, test } from 'vitest';
import { messages, readable, send, writable } from '../../src/streams/index.ts';
import { channel, closedReason, makeOpenPair, type PairOptions } from '../rtc/pair.ts';
import { pass, through, turn } from './virtual.ts';

const KIB = new Uint8Array(1024);

/** A fast path with a receive window of 64 KiB at both ends. */
function smallPair(): ReturnType<typeof makeOpenPair> {
  const options: PairOptions['offerer'] = { maxMessageSize: 16_384, sctp: { receiveWindow: 65_536 } };
  return makeOpenPair({
    conditions: { latency: 5, rate: 50_000_000 },
    offerer: options,
    answerer: options,
  });
}

async function collect(source: AsyncIterable<string | Uint8Array>): Promise<(string | Uint8Array)[]> {
  const all: (string | Uint8Array)[] = [];
  for await (const message of source) all.push(message);
  return all;
}

describe('messages', () => {
  test.each([0, 0.1])('all of them, in order, to the end of the channel (loss %d)', async (loss) => {
    const pair = makeOpenPair({ conditions: { latency: 20, loss } });
    const reading = collect(messages(channel(pair.answerer)));
    for (let i = 0; i < 300; i++) channel(pair.offerer).send(String(i));
    channel(pair.offerer).close();
    expect(await through(pair, reading)).toEqual(Array.from({ length: 300 }, (_, i) => String(i)));
  });

  test('a slow reader holds the peer back: bounded here, bounded there, and nothing is lost', async () => {
    const pair = smallPair();
    const { offerer, answerer } = pair;
    const reader = messages(channel(answerer), { highWaterMark: 20_000 });
    const total = 1000;
    let accepted = 0;
    const writing = (async () => {
      for (; accepted < total; accepted++) await send(channel(offerer), KIB, { highWaterMark: 30_000 });
    })();
    await pass(pair, 3000);
    // The reader has taken nothing: a mark here, a window there, a mark and a window's worth at the writer.
    const stood = accepted;
    expect(stood).toBeGreaterThan(50);
    expect(stood).toBeLessThan(250);
    expect(answerer.rtc.bufferedBytes).toBeLessThan(300_000);
    expect(offerer.rtc.bufferedBytes).toBeLessThan(300_000);
    await pass(pair, 3000);
    expect(accepted).toBe(stood);

    let read = 0;
    const reading = (async () => {
      for await (const message of reader) {
        expect(message).toHaveLength(KIB.length);
        if (++read === total) break;
        if (read % 20 === 0) await turn();
      }
    })();
    await through(pair, Promise.all([writing, reading]));
    expect(read).toBe(total);
    expect(channel(answerer).isReadingPaused).toBe(false);
  });

  test('a reader that takes nothing for a minute while the window is full: the connection says so to both', async () => {
    const pair = smallPair();
    const reader = messages(channel(pair.answerer), { highWaterMark: 1000 });
    const writing = (async () => {
      for (;;) await send(channel(pair.offerer), KIB);
    })();
    const ended = expect(through(pair, writing)).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    await ended;
    expect(closedReason(pair.answerer)).toMatchObject({ gate: 'readerStalled' });
    // What had come is given out before the reason.
    let read = 0;
    await expect(
      (async () => {
        for await (const message of reader) if (message.length > 0) read++;
      })(),
    ).rejects.toMatchObject({ code: 'ERR_CLOSED', failure: { code: 'reader-stalled' } });
    expect(read).toBeGreaterThan(20);
  });

  test('leaving the loop ends the reading, not the channel; later messages are events alone; a next reader may come', async () => {
    const pair = makeOpenPair();
    const [theirs, ours] = [channel(pair.offerer), channel(pair.answerer)];
    const reader = messages(ours, { highWaterMark: 1 });
    expect(() => messages(ours)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_STATE' }) as Error);
    for (const word of ['one', 'two', 'three']) theirs.send(word);
    const first = (async () => {
      for await (const word of reader) return word;
      return undefined;
    })();
    expect(await through(pair, first)).toBe('one');
    expect(ours.isReadingPaused).toBe(false);
    expect(ours.readyState).toBe('open');
    await pass(pair, 100);
    const next = messages(ours);
    theirs.send('four');
    expect(await through(pair, next.next())).toEqual({ done: false, value: 'four' });
    expect(pair.answerer.messages.get('chat')).toEqual(['one', 'two', 'three', 'four']);
  });

  test('an abort ends it with the reason; the connection closes in order, and it ends without one', async () => {
    const pair = makeOpenPair();
    const abort = new AbortController();
    const reason = new Error('enough');
    const reader = messages(channel(pair.answerer), { signal: abort.signal });
    const next = expect(reader.next()).rejects.toBe(reason);
    abort.abort(reason);
    await next;
    expect(await reader.next()).toEqual({ done: true, value: undefined });

    const again = messages(channel(pair.answerer)).next();
    pair.offerer.rtc.close();
    expect(await through(pair, again)).toEqual({ done: true, value: undefined });
    // A channel that has ended before is at its end at once.
    expect(await messages(channel(pair.answerer)).next()).toEqual({ done: true, value: undefined });
  });

  test('a channel that opens, speaks and closes in one drain is read to its end', async () => {
    const pair = makeOpenPair({ conditions: { latency: 20 } });
    let reading: Promise<(string | Uint8Array)[]> | undefined;
    pair.answerer.tap.hears = (event) => {
      if (event.type === 'datachannel') reading = collect(messages(event.channel));
    };
    const brief = pair.offerer.rtc.createChannel('brief');
    pair.offerer.tap.hears = (event) => {
      if (event.type !== 'channelopen') return;
      event.channel.send('hello');
      event.channel.close();
    };
    pair.net.run({ limit: 2000 });
    expect(brief.readyState).toBe('closed');
    expect(await through(pair, reading ?? Promise.reject(new Error('no channel')))).toEqual(['hello']);
  });
});

describe('web streams', () => {
  test('a pipe from end to end: back-pressure by the channel, and the end of the source is that of the channel', async () => {
    const pair = smallPair();
    const chunks = 500;
    let pulled = 0;
    const source = new ReadableStream<Uint8Array>({
      pull(controller): void {
        if (pulled === chunks) controller.close();
        else controller.enqueue(new Uint8Array(1000).fill(++pulled % 256));
      },
    });
    const stream = readable(channel(pair.answerer), { highWaterMark: 10_000 });
    const piping = source.pipeTo(writable(channel(pair.offerer), { highWaterMark: 10_000 }));
    await pass(pair, 2000);
    expect(pulled).toBeLessThan(200);
    let received = 0;
    const sink = new WritableStream<string | Uint8Array>({
      write(chunk): void {
        expect(chunk[0]).toBe(++received % 256);
      },
    });
    await through(pair, Promise.all([piping, stream.pipeTo(sink)]));
    expect(received).toBe(chunks);
    expect(channel(pair.offerer).readyState).toBe('closed');
  });

  test('the peer closes, or the connection is lost: a write and the stream end with the reason', async () => {
    for (const how of ['close', 'cut'] as const) {
      const pair = makeOpenPair({ conditions: { latency: 20 } });
      const writer = writable(channel(pair.offerer)).getWriter();
      await through(pair, writer.write('hello'));
      const ended = writer.closed.then(
        () => 'closed',
        (error: unknown) => (error as { code: string }).code,
      );
      if (how === 'close') channel(pair.answerer).close();
      else pair.net.partition([pair.offerer.host]);
      expect(await through(pair, ended, 300_000)).toBe('ERR_CLOSED');
      await expect(writer.write('more')).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    }
  });

  test('abort closes the channel, cancel does not', async () => {
    const pair = makeOpenPair();
    const stream = readable(channel(pair.answerer));
    await stream.cancel();
    expect(channel(pair.answerer).readyState).toBe('open');
    await writable(channel(pair.offerer)).abort(new Error('no more'));
    await pass(pair, 100);
    expect(channel(pair.offerer).readyState).toBe('closed');
  });
});
