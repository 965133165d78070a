/** A host that has had enough, inside the listener that heard of a message: nothing more comes. */
import { expect, test } from 'vitest';
import type { DataChannel, Rtc, RtcEvent } from '../../src/index.ts';
import type { Input } from '../../src/rtc.ts';
import { channel, makeOpenPair } from './pair.ts';

/** 200 messages have arrived, of which none was polled; the events of one drain in which `act` answers the first. */
function listen(act: (rtc: Rtc, chat: DataChannel) => void): {
  rtc: Rtc;
  types: RtcEvent['type'][];
  now: number;
} {
  const { net, offerer, answerer } = makeOpenPair();
  const { rtc } = answerer;
  const inputs: Input[] = [];
  answerer.tap.input = (input, pass) => {
    // The network takes its memory back after the call.
    if (input.type === 'receive') inputs.push({ ...input, data: input.data.slice() });
    else pass();
  };
  net.run({ limit: 1 });
  for (let i = 0; i < 200; i++) channel(offerer).send(`message ${String(i)}`);
  net.run({ limit: 100 });
  expect(inputs.length).toBeGreaterThan(2);
  for (const input of inputs) rtc.handleInput(input);
  const types: RtcEvent['type'][] = [];
  for (let output = rtc.pollOutput(); output.type !== 'timeout'; output = rtc.pollOutput()) {
    if (output.type !== 'event') continue;
    types.push(output.event.type);
    if (output.event.type === 'message' && types.length === 1) act(rtc, output.event.channel);
  }
  return { rtc, types, now: net.now };
}

test('E4: pauseReading', () => {
  const { rtc, types, now } = listen((_rtc, chat) => {
    chat.pauseReading();
  });
  expect(types.filter((type) => type === 'message')).toHaveLength(1);
  const waiting = rtc.inspect().channels.channels[0]?.unreadMessages;
  expect(waiting).toBeGreaterThan(10);
  rtc.handleInput({ type: 'timeout', now });
  expect(rtc.invariantViolation()).toBeUndefined();
});

test('E4: close() of the channel', () => {
  const { types } = listen((_rtc, chat) => {
    chat.close();
  });
  expect(types.filter((type) => type === 'message')).toHaveLength(1);
});

test('E4: close() of the connection', () => {
  const { rtc, types } = listen((connection) => {
    connection.close();
  });
  expect(types.filter((type) => type === 'message')).toHaveLength(1);
  expect(types.slice(1)).toContain('channelclose');
  expect(types.at(-1)).toBe('closed');
  expect(rtc.isEmpty).toBe(true);
  expect(rtc.inspect().channels.counters.lateMessages).toBeGreaterThan(10);
});
