/** `onEvent` and `DataChannel.connection`: how `sansrtc/streams` hears what happens, whoever drives the connection. */
import { expect, test } from 'vitest';
import { Endpoint, Rtc, type RtcEvent } from '../../src/index.ts';
import { certificates, channel, closedReason, makeOpenPair, makePair, runUntilOpen } from './pair.ts';

test('hears each event that is polled, in their order, before the host does', () => {
  const pair = makePair();
  const { offerer } = pair;
  const heard: RtcEvent[] = [];
  let ahead = 0;
  offerer.rtc.onEvent = (event) => {
    heard.push(event);
    if (heard.length > offerer.events.length) ahead++;
  };
  runUntilOpen(pair);
  offerer.rtc.close();
  pair.net.run({ limit: 100 });
  expect(heard.map(({ type }) => type)).toEqual(offerer.events.map(({ type }) => type));
  expect(heard.at(-1)).toMatchObject({ type: 'closed', reason: closedReason(offerer) });
  expect(ahead).toBe(heard.length);
});

test('what it calls travels with the drain, as what a listener calls', () => {
  const { net, offerer, answerer } = makeOpenPair();
  answerer.rtc.onEvent = (event) => {
    if (event.type === 'message') event.channel.pauseReading();
  };
  for (const word of ['one', 'two', 'three']) channel(offerer).send(word);
  net.run({ limit: 200 });
  expect(answerer.messages.get('chat')).toEqual(['one']);
});

test('a channel knows its connection, ours, the peer’s and a drafted one', () => {
  const { offerer, answerer } = makeOpenPair();
  expect(channel(offerer).connection).toBe(offerer.rtc);
  expect(channel(answerer).connection).toBe(answerer.rtc);
  expect(offerer.rtc.negotiation().addChannel('later').connection).toBe(offerer.rtc);
});

test('a connection that fails twice, so that its endpoint lets it go without asking it, is told of its end all the same', () => {
  const endpoint = new Endpoint();
  endpoint.onError = () => undefined;
  const rtc = new Rtc({ certificate: certificates[0] });
  const heard: string[] = [];
  rtc.onEvent = (event) => heard.push(event.type);
  rtc.pollOutput = () => {
    throw new Error('a bug of ours');
  };
  endpoint.add(rtc);
  endpoint.handleInput({ type: 'timeout', now: 1 });
  const polled: string[] = [];
  for (let output = endpoint.pollOutput(); output.type !== 'timeout'; output = endpoint.pollOutput()) {
    if (output.type === 'event') polled.push(output.event.type);
  }
  expect(polled).toEqual(['closed']);
  expect(heard).toEqual(['closed']);
});
