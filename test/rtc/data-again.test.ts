/** Data channels closed and opened again over one connection: another association each time, and nothing of the one before in it. */
import { describe, expect, test } from 'vitest';
import type { MediaPlan } from '../../src/negotiation/index.ts';
import type { Input } from '../../src/rtc.ts';
import { audioPlan } from '../negotiation/media-plans.ts';
import type { End, Pair } from './pair.ts';
import { channel, closedReason, makeOpenPair } from './pair.ts';
import { BOTH, connectedWithoutData, heard, openData, runUntilOpen } from './plain-ends.ts';

const AUDIO = audioPlan('a', 'sendrecv');

function ends(pair: Pair, who: 'offerer' | 'answerer'): [End, End] {
  return who === 'offerer' ? [pair.offerer, pair.answerer] : [pair.answerer, pair.offerer];
}

function connectedWith(label: string): Pair {
  const pair = connectedWithoutData();
  openData(pair, label);
  return pair;
}

function closeData({ net, offerer, answerer }: Pair): void {
  for (const { rtc } of [offerer, answerer]) rtc.closeData();
  net.advance(500);
}

/** Whether data is agreed on, as an end sees it. */
function dataOf({ rtc }: End): string {
  return rtc.inspect().data.state;
}

describe('data closed by both ends', () => {
  test('every channel closes with data-closed, the connection lives and is quiet', () => {
    const pair = connectedWith('chat');
    pair.offerer.rtc.createChannel('opening');
    closeData(pair);
    for (const end of [pair.offerer, pair.answerer]) {
      const closes = heard(end, 'channelclose');
      expect(closes.length).toBeGreaterThan(0);
      for (const { failure } of closes)
        expect(failure).toMatchObject({ layer: 'channel', code: 'data-closed' });
      expect(heard(end, 'sctpstatechange').at(-1)?.state).toBe('closed');
      const { connectionState, sctp, channels } = end.rtc.inspect();
      expect(connectionState).toBe('connected');
      expect(sctp).toMatchObject({ state: 'new', timers: {} });
      expect(channels).toMatchObject({ association: 'connecting', channels: [], timers: {} });
    }
    const sent = pair.offerer.rtc.inspect().sctp.counters['packets-sent'];
    pair.net.advance(120_000);
    expect(pair.offerer.rtc.inspect().sctp.counters['packets-sent']).toBe(sent);
    expect(pair.offerer.rtc.connectionState).toBe('connected');
  });

  test.each(BOTH)('opened again, ten times: channels of the %s open, from the first identifier on', (who) => {
    const pair = connectedWith('0');
    const ids = new Set<number | undefined>();
    for (let i = 1; i <= 10; i++) {
      closeData(pair);
      const [one, other] = ends(pair, who);
      const next = openData(pair, String(i), who);
      ids.add(next.id);
      next.send(`message ${i}`);
      pair.net.advance(300);
      expect(other.messages.get(String(i))).toEqual([`message ${i}`]);
      expect(one.rtc.inspect().data).toEqual({ state: 'open', associations: i + 1 });
    }
    expect(ids.size).toBe(1);
    expect(pair.offerer.rtc.inspect().dtls?.state).toBe('connected');
  });

  test('getStats and counters go on counting', () => {
    const pair = connectedWith('first');
    channel(pair.offerer, 'first').send('a word');
    pair.net.advance(500);
    const before = pair.offerer.rtc.inspect().sctp.counters;
    closeData(pair);
    openData(pair, 'second');
    const { counters } = pair.offerer.rtc.inspect().sctp;
    for (const [name, count] of Object.entries(before))
      expect(counters[name as keyof typeof counters]).toBeGreaterThanOrEqual(count);
    const report = [...pair.offerer.rtc.getStats().values()];
    const connection = report.find(({ type }) => type === 'peer-connection');
    expect(connection).toMatchObject({ dataChannelsOpened: 2, dataChannelsClosed: 1 });
    expect(report.filter(({ type }) => type === 'data-channel')).toHaveLength(1);
  });

  test('what has come is given out first, and does not count against the next association', () => {
    const pair = connectedWith('chat');
    const { net, offerer, answerer } = pair;
    channel(answerer).pauseReading();
    for (let i = 0; i < 20; i++) channel(offerer).send(new Uint8Array(10_000).fill(i));
    net.advance(2000);
    expect(answerer.messages.get('chat')).toBeUndefined();
    closeData(pair);
    expect(answerer.messages.get('chat')).toHaveLength(20);
    openData(pair, 'next');
    net.advance(500);
    const { receive } = answerer.rtc.inspect().sctp;
    expect(receive).toMatchObject({ usedBytes: 0, window: receive?.windowSize });
    expect(answerer.rtc.bufferedBytes).toBeLessThan(10_000);
  });

  test('each message that was asked about has one outcome', () => {
    const pair = connectedWith('chat');
    pair.net.partition([pair.offerer.host]);
    for (const id of [1, 2, 3]) channel(pair.offerer).send('lost', { id });
    pair.net.advance(100);
    pair.offerer.rtc.closeData();
    pair.net.advance(100);
    expect(heard(pair.offerer, 'messageoutcome').map(({ id, outcome }) => [id, outcome])).toEqual([
      [1, 'discarded'],
      [2, 'discarded'],
      [3, 'discarded'],
    ]);
  });

  test('closed and opened while the path is down: the next association comes with the path', () => {
    const pair = connectedWith('chat');
    pair.net.partition([pair.offerer.host]);
    pair.net.advance(10_000);
    for (const { rtc } of [pair.offerer, pair.answerer]) {
      rtc.closeData();
      rtc.openData();
    }
    pair.offerer.rtc.createChannel('again');
    pair.net.advance(5000);
    pair.net.heal();
    runUntilOpen(pair, 'again', 15_000);
  });

  test('closed and opened in one breath, before anything was sent', () => {
    const pair = connectedWithoutData();
    for (const { rtc } of [pair.offerer, pair.answerer]) {
      rtc.openData();
      rtc.closeData();
    }
    expect(dataOf(pair.offerer)).toBe('none');
    openData(pair, 'chat');
    expect(pair.offerer.rtc.inspect().data.associations).toBe(1);
  });

  test('closed before the start that was to open it has taken effect', () => {
    const pair = makeOpenPair();
    pair.offerer.rtc.closeData();
    const waits = pair.offerer.rtc.createChannel('waits');
    pair.net.advance(1000);
    expect(waits.readyState).toBe('connecting');
    expect(dataOf(pair.offerer)).toBe('none');
  });
});

describe('data closed by one end', () => {
  test.each(BOTH)('the %s: the other one learns it at once, and lives on', (who) => {
    const pair = connectedWith('chat');
    const [closing, other] = ends(pair, who);
    closing.rtc.closeData();
    pair.net.advance(500);
    expect(heard(other, 'channelclose')).toMatchObject([{ failure: { code: 'data-closed' } }]);
    expect([dataOf(closing), dataOf(other)]).toEqual(['none', 'over']);
    expect(other.rtc.createChannel('too late').readyState).toBe('closed');
    pair.net.advance(120_000);
    for (const { rtc } of [closing, other]) expect(rtc.connectionState).toBe('connected');
    other.rtc.closeData();
    openData(pair, 'again');
  });

  test('the other one opens at once, without closing first', () => {
    const pair = connectedWith('chat');
    pair.offerer.rtc.closeData();
    pair.net.advance(500);
    openData(pair, 'again', 'answerer');
  });

  test('its ABORT is lost: the other one is told by its host', () => {
    const pair = connectedWith('chat');
    const { net, offerer, answerer } = pair;
    offerer.tap.carries = () => false;
    offerer.rtc.closeData();
    net.advance(200);
    expect(dataOf(answerer)).toBe('open');
    offerer.tap.carries = () => true;
    answerer.rtc.closeData();
    net.advance(200);
    openData(pair, 'again');
  });

  test('channels that wait close with it, those made afterwards wait', () => {
    const pair = connectedWithoutData();
    const { rtc } = pair.offerer;
    const before = rtc.createChannel('before');
    rtc.closeData();
    const after = rtc.createChannel('after');
    pair.net.advance(1000);
    expect([before.readyState, after.readyState]).toEqual(['closed', 'connecting']);
    expect(heard(pair.offerer, 'channelclose')).toMatchObject([{ failure: { code: 'data-closed' } }]);
    openData(pair, 'chat');
    pair.net.advance(500);
    expect(after.readyState).toBe('open');
  });

  test('a draft begun before goes into the next association', () => {
    const pair = makeOpenPair();
    const draft = pair.offerer.rtc.negotiation();
    const drafted = draft.addChannel('drafted');
    closeData(pair);
    const offer = draft.offer();
    expect(drafted.readyState).toBe('connecting');
    offer.accept(pair.answerer.rtc.receiveOffer(offer.sdp).answer());
    pair.net.advance(1000);
    expect(drafted.readyState).toBe('open');
    expect(pair.answerer.rtc.inspect().data).toEqual({ state: 'open', associations: 2 });
  });
});

describe('packets of the association before', () => {
  test.each([0, 300, 3000])('that come %i ms late hurt nothing', (late) => {
    const pair = connectedWith('chat');
    const { net, offerer, answerer } = pair;
    // Data of the old association, its ABORT, and what else goes either way meanwhile, all of it held back.
    const held: { readonly end: End; readonly input: Input }[] = [];
    for (const end of [offerer, answerer]) {
      end.tap.input = (input, pass) => {
        if (input.type === 'receive' && isRecord(input.data)) held.push({ end, input: keep(input) });
        else pass();
      };
    }
    for (const end of [offerer, answerer]) channel(end).send('of old');
    net.advance(200);
    for (const { rtc } of [offerer, answerer]) rtc.closeData();
    net.advance(200);
    for (const end of [offerer, answerer]) end.tap.input = (_input, pass) => pass();
    const next = openData(pair, 'next');
    net.advance(late);
    expect(held.length).toBeGreaterThan(3);
    for (const { end, input } of held) end.rtc.handleInput(input);
    next.send('of the new one');
    net.advance(2000);
    expect(answerer.messages.get('next')).toEqual(['of the new one']);
    expect(answerer.messages.get('chat')).toBeUndefined();
    expect(answerer.rtc.inspect().sctp.counters['wrong-tag']).toBeGreaterThan(0);
    for (const end of [offerer, answerer]) expect(dataOf(end)).toBe('open');
  });

  test('an INIT of an association that never came to be', () => {
    const pair = connectedWithoutData();
    const { net, offerer, answerer } = pair;
    const held: Input[] = [];
    answerer.tap.input = (input, pass) => {
      if (input.type === 'receive' && isRecord(input.data)) held.push(keep(input));
      else pass();
    };
    offerer.rtc.openData();
    net.advance(100);
    offerer.rtc.closeData();
    net.advance(100);
    answerer.tap.input = (_input, pass) => pass();
    const chat = openData(pair, 'chat');
    expect(held.length).toBeGreaterThan(0);
    for (const input of held) answerer.rtc.handleInput(input);
    chat.send('still here');
    net.advance(2000);
    expect(answerer.messages.get('chat')).toEqual(['still here']);
  });
});

describe('a connection that has media', () => {
  test('outlives an association that its peer, or a gate, has ended', () => {
    const pair = connectedWith('chat');
    const { net, offerer, answerer } = pair;
    for (const { rtc } of [offerer, answerer]) rtc.setMedia([AUDIO]);
    channel(answerer).pauseReading();
    for (let i = 0; i < 100; i++) channel(offerer).send(new Uint8Array(60_000));
    net.advance(90_000);
    expect(heard(answerer, 'channelclose')).toMatchObject([{ failure: { code: 'reader-stalled' } }]);
    expect(heard(offerer, 'channelclose')).toMatchObject([{ failure: { code: 'aborted-by-peer' } }]);
    for (const end of [offerer, answerer]) {
      expect(end.rtc.connectionState).toBe('connected');
      expect(dataOf(end)).toBe('over');
      end.rtc.closeData();
    }
    openData(pair, 'again');
  });

  test('without media the end of the association is that of the connection, as ever', () => {
    const pair = connectedWith('chat');
    const { net, offerer, answerer } = pair;
    channel(answerer).pauseReading();
    for (let i = 0; i < 100; i++) channel(offerer).send(new Uint8Array(60_000));
    net.advance(90_000);
    expect(closedReason(answerer)).toMatchObject({ code: 'reader-stalled' });
  });

  test('shutdown ends it, data and all', () => {
    const { net, offerer, answerer } = connectedWith('chat');
    offerer.rtc.setMedia([AUDIO]);
    channel(offerer).send('the last word');
    offerer.rtc.shutdown();
    offerer.rtc.closeData();
    net.advance(2000);
    expect(answerer.messages.get('chat')).toEqual(['the last word']);
    expect(closedReason(offerer)).toMatchObject({ code: 'local-close' });
    expect(closedReason(answerer)).toBeDefined();
  });

  test('is shown by inspect, as a copy', () => {
    const { offerer } = connectedWithoutData();
    const plan = { ...AUDIO };
    offerer.rtc.setMedia([plan]);
    plan.mid = 'another';
    expect(offerer.rtc.inspect().media).toEqual([AUDIO]);
    const codec = { payloadType: 128, mimeType: 'audio/opus', clockRate: 48_000, rtcpFeedback: [] };
    const wrong: readonly unknown[] = [
      { ...AUDIO, direction: 'upwards' },
      { ...AUDIO, id: -1 },
      { ...AUDIO, send: undefined },
      { ...AUDIO, send: { ...AUDIO.send, codecs: [codec] } },
      { ...AUDIO, receive: { ...AUDIO.receive, headerExtensions: [{ id: 0, uri: 'urn:of:something' }] } },
      null,
    ];
    for (const each of wrong) {
      expect(() => {
        offerer.rtc.setMedia([each as MediaPlan]);
      }).toThrow(expect.objectContaining({ code: 'ERR_BAD_ARGUMENT' }));
    }
    expect(offerer.rtc.inspect().media).toEqual([AUDIO]);
  });
});

describe('misuse', () => {
  const invalid = expect.objectContaining({ code: 'ERR_INVALID_STATE' }) as Error;

  test('is refused before anything changes', () => {
    const { offerer } = connectedWithoutData();
    const { rtc } = offerer;
    expect(() => {
      rtc.setRemoteMaxMessageSize(1000);
    }).toThrow(invalid);
    rtc.openData();
    expect(() => {
      rtc.openData();
    }).toThrow(invalid);
    for (const size of [0, -1, NaN, '1' as unknown as number]) {
      expect(() => {
        rtc.setRemoteMaxMessageSize(size);
      }).toThrow(expect.objectContaining({ code: 'ERR_BAD_ARGUMENT' }));
    }
    expect(() => {
      rtc.openData({ sctpPort: 0 });
    }).toThrow();
    expect(rtc.inspect().data.state).not.toBe('over');
  });

  test('before start, and after the end', () => {
    const pair = connectedWith('chat');
    pair.offerer.rtc.close();
    const calls: ((rtc: End['rtc']) => void)[] = [
      (rtc) => {
        rtc.openData();
      },
      (rtc) => {
        rtc.closeData();
      },
      (rtc) => {
        rtc.setRemoteMaxMessageSize(1000);
      },
    ];
    for (const call of calls)
      expect(() => {
        call(pair.offerer.rtc);
      }).toThrow(invalid);
  });
});

/** DTLS 1.2 application data, or a record of DTLS 1.3's (RFC 9147 §4). */
function isRecord(data: Uint8Array): boolean {
  const first = data[0] ?? 0;
  return first === 23 || (first >= 32 && first < 64);
}

function keep(input: Input & { type: 'receive' }): Input {
  return { ...input, data: input.data.slice(), owned: false };
}
