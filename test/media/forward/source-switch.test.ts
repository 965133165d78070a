/** SourceSwitch: sequence numbers, timestamps, markers, payload types and extensions over switches. */
import { expect, test } from 'vitest';
import type { OutgoingPacket, RtpEvent } from '../../../src/media/index.ts';
import { SourceSwitch } from '../../../src/media/forward/source-switch.ts';
import { H264, OPUS, rtpEvent, stream, VP8 } from './source.ts';

function sequences(switching: SourceSwitch, events: readonly RtpEvent[]): (number | undefined)[] {
  return events.map((event) => switching.forward(event)?.sequence);
}

test('the first source keeps its timestamps, and nothing is copied; sequence numbers begin below 2^15', () => {
  const switching = new SourceSwitch();
  const a = stream();
  switching.select(a);
  const event = rtpEvent({ stream: a, sequence: 70_000, time: 1234, marker: true });
  expect(switching.forward(event)).toEqual({
    payload: event.packet.payload,
    timestamp: 1234,
    marker: true,
    payloadType: 96,
    sequence: 70_000 % 2 ** 15,
    extensions: undefined,
    patch: undefined,
  });
  expect(switching.forward(event)?.payload).toBeUndefined();
  expect(switching.counters).toMatchObject({ packetsForwarded: 1, packetsDuplicate: 1, sourceSwitches: 0 });
});

test('across switches the numbers go on where they were, to and fro', () => {
  const switching = new SourceSwitch();
  const [a, b] = [stream(), stream()];
  switching.select(a);
  expect(
    sequences(
      switching,
      [10, 11, 12].map((sequence) => rtpEvent({ stream: a, sequence })),
    ),
  ).toEqual([10, 11, 12]);
  switching.select(b);
  expect(switching.forward(rtpEvent({ stream: a, sequence: 13 }))).toBeUndefined();
  expect(
    sequences(
      switching,
      [9000, 9001].map((sequence) => rtpEvent({ stream: b, sequence })),
    ),
  ).toEqual([13, 14]);
  switching.select(a);
  expect(
    sequences(
      switching,
      [40, 41].map((sequence) => rtpEvent({ stream: a, sequence })),
    ),
  ).toEqual([15, 16]);
  expect(switching.counters).toMatchObject({ sourceSwitches: 2, packetsUnselected: 1 });
});

test('a loss stays a gap, and what comes late or again finds its own place', () => {
  const switching = new SourceSwitch();
  const [a, b] = [stream(), stream()];
  switching.select(a);
  switching.forward(rtpEvent({ stream: a, sequence: 1 }));
  switching.select(b);
  const of = (sequence: number, isRecovered = false): RtpEvent =>
    rtpEvent({ stream: b, sequence, isRecovered });
  expect(sequences(switching, [of(500), of(503), of(502), of(501, true), of(502), of(503), of(504)])).toEqual(
    [2, 5, 4, 3, undefined, undefined, 6],
  );
});

test('what comes late of the source before has its place; what is newer, or from before the place where a source began, is dropped', () => {
  const switching = new SourceSwitch();
  const [a, b] = [stream(), stream()];
  switching.select(a);
  switching.forward(rtpEvent({ stream: a, sequence: 100 }));
  switching.forward(rtpEvent({ stream: a, sequence: 102 }));
  switching.select(b);
  switching.forward(rtpEvent({ stream: b, sequence: 50 }));
  expect(
    sequences(
      switching,
      [101, 101, 102, 103].map((sequence) => rtpEvent({ stream: a, sequence })),
    ),
  ).toEqual([101, undefined, undefined, undefined]);
  expect(
    sequences(
      switching,
      [48, 49, 51].map((sequence) => rtpEvent({ stream: b, sequence })),
    ),
  ).toEqual([undefined, undefined, 104]);
  expect(switching.counters).toMatchObject({
    packetsForwarded: 5,
    packetsForwardedLate: 1,
    packetsTooLate: 2,
    packetsDuplicate: 2,
    packetsUnselected: 1,
    sourceRestarts: 0,
  });
});

test('padding closes up; where its place was kept it is filled', () => {
  const switching = new SourceSwitch();
  const a = stream();
  switching.select(a);
  const of = (sequence: number, payload?: number[]): RtpEvent =>
    rtpEvent({ stream: a, sequence, time: sequence * 100, ...(payload && { payload }) });
  expect(sequences(switching, [of(1, []), of(2), of(3, []), of(4), of(7, []), of(8)])).toEqual([
    undefined,
    2,
    undefined,
    3,
    undefined,
    6,
  ]);
  // 5 was lost and 6 is padding that comes late: its number is before one that has been sent.
  const filled = switching.forward(of(6, []));
  expect(filled).toMatchObject({ sequence: 5, timestamp: 600, marker: false, payloadType: 96 });
  expect(filled?.payload).toHaveLength(0);
  expect(switching.forward(of(6, []))).toBeUndefined();
  expect(switching.forward(of(5))?.sequence).toBe(4);
  expect(switching.counters).toMatchObject({ placesFilled: 1, packetsOfPadding: 4, packetsDuplicate: 1 });
});

test('a pause sends nothing and leaves no gap, and time goes on', () => {
  const switching = new SourceSwitch();
  const a = stream();
  switching.select(a);
  switching.forward(rtpEvent({ stream: a, sequence: 1, time: 0, receivedAt: 0 }));
  switching.select(undefined);
  expect(switching.forward(rtpEvent({ stream: a, sequence: 2, time: 3000, receivedAt: 33 }))).toBeUndefined();
  switching.select(a);
  switching.forward(rtpEvent({ stream: a, sequence: 900, time: 90_000, receivedAt: 1000 }));
  expect(switching.inspect()).toMatchObject({ lastSequence: 2, lastTimestamp: 90_000, selected: a.ssrc });
});

test('selecting what is selected changes nothing', () => {
  const switching = new SourceSwitch();
  const a = stream();
  switching.select(a);
  switching.forward(rtpEvent({ stream: a, sequence: 1 }));
  switching.select(a);
  expect(switching.forward(rtpEvent({ stream: a, sequence: 3 }))?.sequence).toBe(3);
  expect(switching.selected).toBe(a);
});

test('audio: the first packet of another source begins a talkspurt', () => {
  const switching = new SourceSwitch();
  const [a, b] = [stream({ kind: 'audio' }), stream({ kind: 'audio' })];
  const markers = (events: readonly RtpEvent[]): (boolean | undefined)[] =>
    events.map((event) => switching.forward(event)?.marker);
  switching.select(a);
  expect(markers([1, 2].map((sequence) => rtpEvent({ stream: a, sequence })))).toEqual([true, false]);
  switching.select(b);
  expect(markers([1, 2].map((sequence) => rtpEvent({ stream: b, sequence })))).toEqual([true, false]);
});

test('timestamps: aligned by sender reports of both', () => {
  const switching = new SourceSwitch();
  const [a, b] = [stream(), stream()];
  switching.handleSenderReport({ stream: a, ntpTime: 5000, time: 0 });
  switching.handleSenderReport({ stream: b, ntpTime: 5000, time: 700_000 });
  switching.select(a);
  switching.forward(rtpEvent({ stream: a, sequence: 1, time: 9000, receivedAt: 100 }));
  switching.select(b);
  const next = rtpEvent({ stream: b, sequence: 1, time: 700_000 + 12_000, receivedAt: 180 });
  expect(switching.forward(next)?.timestamp).toBe(12_000);
});

test('clocks of so many sources are remembered, and no more', () => {
  const switching = new SourceSwitch();
  const [a, b] = [stream(), stream()];
  switching.handleSenderReport({ stream: a, ntpTime: 5000, time: 0 });
  for (let i = 0; i < 1000; i++) switching.handleSenderReport({ stream: stream(), ntpTime: 0, time: 0 });
  switching.handleSenderReport({ stream: b, ntpTime: 5000, time: 700_000 });
  switching.select(a);
  switching.forward(rtpEvent({ stream: a, sequence: 1, time: 9000, receivedAt: 100 }));
  switching.select(b);
  const next = rtpEvent({ stream: b, sequence: 1, time: 700_000 + 12_000, receivedAt: 180 });
  expect(switching.forward(next)?.timestamp).toBe(9000 + 7200);
});

test('payload types are the receiver’s, and a codec that it does not know closes up', () => {
  const codecs = [
    { ...H264, payloadType: 120, sdpFmtpLine: 'packetization-mode=0;profile-level-id=42e01f' },
    { ...H264, payloadType: 121, sdpFmtpLine: 'packetization-mode=1; profile-level-id=42001f' },
    { ...H264, payloadType: 122 },
    { ...VP8, payloadType: 125, mimeType: 'video/vp8' },
  ];
  const switching = new SourceSwitch({ codecs });
  const a = stream();
  switching.select(a);
  const of = (sequence: number, codec: RtpEvent['codec']): RtpEvent =>
    rtpEvent({ stream: a, sequence, codec });
  const vp9 = { ...VP8, mimeType: 'video/VP9', payloadType: 98 };
  const baseline = { ...H264, sdpFmtpLine: 'profile-level-id=42e01f;packetization-mode=1' };
  const sent = [of(1, vp9), of(2, VP8), of(3, vp9), of(4, H264), of(5, baseline), of(6, OPUS)].map((event) =>
    switching.forward(event),
  );
  expect(sent.map((packet) => packet && [packet.sequence, packet.payloadType])).toEqual([
    undefined,
    [2, 125],
    undefined,
    [3, 122],
    [4, 121],
    undefined,
  ]);
  expect(switching.counters.packetsOfUnknownCodec).toBe(3);
});

test('header extensions of the list are passed on by URI, others are not', () => {
  const switching = new SourceSwitch({ extensions: ['urn:a', 'urn:b', 'urn:c'] });
  const a = stream({
    extensionIds: new Map([
      ['urn:a', 3],
      ['urn:c', 5],
      ['urn:other', 4],
    ]),
  });
  switching.select(a);
  const extensions = new Map([
    [3, [1, 2]],
    [4, [9]],
    [5, [7]],
  ]);
  const sent: OutgoingPacket | undefined = switching.forward(
    rtpEvent({ stream: a, sequence: 1, extensions }),
  );
  expect(sent?.extensions).toEqual([
    { uri: 'urn:a', value: Uint8Array.of(1, 2) },
    { uri: 'urn:c', value: Uint8Array.of(7) },
  ]);
  expect(switching.forward(rtpEvent({ stream: a, sequence: 2 }))?.extensions).toBeUndefined();
});

test('one packet from far behind is too late; two in a row are a source that counts anew', () => {
  const switching = new SourceSwitch({ memory: 64 });
  const a = stream();
  switching.select(a);
  const of = (sequence: number, isRecovered = false): RtpEvent =>
    rtpEvent({ stream: a, sequence, isRecovered });
  expect(sequences(switching, [of(5000), of(300), of(5001)])).toEqual([5000, undefined, 5001]);
  // What is repaired comes late, and in a row.
  expect(sequences(switching, [of(400, true), of(401, true), of(402, true)])).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect(sequences(switching, [of(200), of(201), of(202)])).toEqual([undefined, 5002, 5003]);
  expect(switching.counters).toMatchObject({ sourceRestarts: 1, packetsTooLate: 5 });
});

test('options that cannot be are refused', () => {
  for (const options of [
    { memory: 0 },
    { memory: 1e9 },
    { alignmentTolerance: -1 },
    { extensions: [''] },
    { memroy: 64 },
  ]) {
    expect(() => new SourceSwitch(options)).toThrow(expect.objectContaining({ code: 'ERR_BAD_ARGUMENT' }));
  }
});
