/** A stream from `write` to the packet: what it is sent as, what is refused, what waits, and what agreements change of it. */
import { describe, expect, test } from 'vitest';
import { RtcError } from '../../../src/core/errors.ts';
import type { OutgoingPacket, SenderCall } from '../../../src/media/index.ts';
import { AUDIO_LEVEL_URI, MID_URI } from '../../../src/rtp/index.ts';
import { EXTENSIONS, IDS, OPUS, PATH, SendingRig, VP8, audio, payload, video } from './sent.ts';

const text = (bytes: Uint8Array | undefined): string | undefined => bytes && new TextDecoder().decode(bytes);
const LEVEL = { id: 9, uri: AUDIO_LEVEL_URI };

describe('a packet', () => {
  test('goes out as it was written, from the agreed source', () => {
    const rig = new SendingRig([video()]);
    expect(rig.write({ payload: payload(7), timestamp: 2 ** 32 + 5, marker: true })).toBe(true);
    expect(rig.sender().bufferedAmount).toBe(100);
    const [packet, ...more] = rig.poll();
    expect(more).toEqual([]);
    expect(packet).toMatchObject({ payloadType: 96, timestamp: 5, marker: true, ssrc: 1000 });
    expect(packet?.payload).toEqual(payload(7));
    expect(rig.sender().bufferedAmount).toBe(0);
  });

  test('is written where the datagram is, and touches nothing beside', () => {
    const rig = new SendingRig([video()]);
    rig.write({});
    const into = new Uint8Array(400).fill(0xee);
    const length = rig.sending.pollPacket('paced', into, 50, 0);
    expect(into.subarray(0, 50).every((byte) => byte === 0xee)).toBe(true);
    expect(into.subarray(50 + length).every((byte) => byte === 0xee)).toBe(true);
  });

  test('shares its payload with other connections, and changes nothing of it', () => {
    const rigs = [1, 2, 3].map((seed) => new SendingRig([video()], {}, seed));
    const shared = payload(9, 1100);
    for (const rig of rigs) rig.write({ payload: shared });
    for (const rig of rigs) expect(rig.poll()[0]?.payload).toEqual(payload(9, 1100));
    expect(shared).toEqual(payload(9, 1100));
  });

  test('has its patch in place of what that replaces, also when it is sent again', () => {
    const rig = new SendingRig([video()]);
    const patch = { replaced: 3, bytes: Uint8Array.of(0x90, 0x80, 1, 2, 3) };
    rig.write({ payload: payload(0, 200).fill(7), patch });
    const [packet] = rig.poll();
    const patched = Uint8Array.of(...patch.bytes, ...new Array<number>(197).fill(7));
    expect(packet?.payload).toEqual(patched);
    const [again] = rig.nack(1000, packet?.sequenceNumber ?? 0).poll();
    expect(again?.payload.subarray(2)).toEqual(patched);
  });

  test('takes the payload type that it names, and by default the first', () => {
    const vp9 = { ...VP8, mimeType: 'video/VP9', payloadType: 98, rtxPayloadType: 99 };
    const rig = new SendingRig([video({ codecs: [VP8, vp9] })]);
    rig.write({ payloadType: 98 });
    rig.write({});
    expect(rig.poll().map(({ payloadType }) => payloadType)).toEqual([98, 96]);
  });

  test('of audio waits for no video, and streams of video take turns', () => {
    const second = video({ id: 2, mid: 'c', sources: [{ ssrc: 5000, rtxSsrc: 6000 }] });
    const rig = new SendingRig([video(), second, audio()]);
    for (let i = 0; i < 3; i++) for (const id of [0, 2]) rig.write({}, id);
    rig.write({}, 1);
    expect(rig.poll().map(({ ssrc }) => ssrc)).toEqual([3000, 1000, 5000, 1000, 5000, 1000, 5000]);
  });
});

describe('header extensions', () => {
  test('mid and rid go along until a report acknowledges the source', () => {
    const rig = new SendingRig([
      video({ rids: ['hi'], sources: [{ rid: 'hi', ssrc: 1000, rtxSsrc: 2000 }] }),
    ]);
    const sender = rig.sender(0, 'hi');
    const write = (): boolean => sender.write({ payload: payload(0), timestamp: 0 });
    write();
    const [first] = rig.poll();
    expect(text(first?.extension(IDS.mid))).toBe('a');
    expect(text(first?.extension(IDS.rid))).toBe('hi');
    rig.report(1000, { highestSequenceNumber: first?.sequenceNumber ?? 0 });
    write();
    const [second] = rig.poll();
    expect(second?.extension(IDS.mid)).toBeUndefined();
    expect(second?.extension(IDS.rid)).toBeUndefined();
  });

  test('they go along again after a change, and a report from before it acknowledges nothing', () => {
    const rig = new SendingRig([video()]);
    rig.write({});
    const before = rig.poll()[0]?.sequenceNumber ?? 0;
    rig.report(1000, { highestSequenceNumber: before });
    rig.sending.setMedia([video({ mid: 'other' })], 0);
    rig.write({});
    expect(text(rig.poll()[0]?.extension(IDS.mid))).toBe('other');
    rig.report(1000, { highestSequenceNumber: before });
    rig.write({});
    const [third] = rig.poll();
    expect(text(third?.extension(IDS.mid))).toBe('other');
    rig.report(1000, { highestSequenceNumber: third?.sequenceNumber ?? 0 });
    rig.write({});
    expect(rig.poll()[0]?.extension(IDS.mid)).toBeUndefined();
  });

  test('the same agreements once more change nothing', () => {
    const rig = new SendingRig([video()]);
    rig.write({});
    rig.report(1000, { highestSequenceNumber: rig.poll()[0]?.sequenceNumber ?? 0 });
    rig.sending.setMedia([video()], 0);
    rig.write({});
    expect(rig.poll()[0]?.extension(IDS.mid)).toBeUndefined();
  });

  test('transport-wide sequence numbers are one row over all streams', () => {
    const rig = new SendingRig([video(), audio()]);
    for (let i = 0; i < 3; i++) for (const id of [0, 1]) rig.write({}, id);
    const numbers = rig.poll().map((packet) => packet.extension(IDS.transport)?.[1]);
    expect(numbers).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test('absolute send time has the low 24 bits of the time in 2^-18 s, with the offset', () => {
    const rig = new SendingRig([video()], { ntpOffset: 3_000_000_000_000 });
    rig.tell(1500).write({});
    const expected = Math.floor((3_000_000_001_500 * 2 ** 18) / 1000) % 2 ** 24;
    const [high = 0, middle = 0, low = 0] = rig.poll()[0]?.extension(IDS.sendTime) ?? [];
    expect((high << 16) | (middle << 8) | low).toBe(expected);
  });

  test('further ones are passed on by their URIs; what is not agreed on, or is ours, is left out', () => {
    const rig = new SendingRig([audio({ headerExtensions: [...EXTENSIONS, LEVEL] })]);
    const value = Uint8Array.of(0x85);
    const extensions = [
      { uri: AUDIO_LEVEL_URI, value },
      { uri: 'urn:unknown', value },
      { uri: MID_URI, value },
    ];
    rig.write({ extensions }, 1);
    const [packet] = rig.poll();
    expect(packet?.extension(LEVEL.id)).toEqual(value);
    expect(text(packet?.extension(IDS.mid))).toBe('b');
  });

  test.each([
    ['an id above 14', { id: 20, uri: 'urn:x' }, 3],
    ['a value of more than 16 bytes', { id: 7, uri: 'urn:x' }, 40],
    ['an empty value', { id: 7, uri: 'urn:x' }, 0],
  ])('%s is sent in two-byte form, with all that go along', (_what, extension, length) => {
    const rig = new SendingRig([video({ headerExtensions: [...EXTENSIONS, extension] })]);
    rig.write({});
    rig.write({ extensions: [{ uri: 'urn:x', value: payload(5, length) }] });
    const [short, long] = rig.poll();
    expect(short?.bytes.subarray(12, 14)).toEqual(Uint8Array.of(0xbe, 0xde));
    expect(long?.bytes.subarray(12, 14)).toEqual(Uint8Array.of(0x10, 0x00));
    expect(long?.extension(extension.id)).toEqual(payload(5, length));
    expect(text(long?.extension(IDS.mid))).toBe('a');
    expect(long?.payload).toEqual(payload(0));
  });

  test('a packet without any has no extension header', () => {
    const rig = new SendingRig([video({ headerExtensions: [] })]);
    rig.write({});
    expect(rig.poll()[0]?.headerLength).toBe(12);
  });
});

describe('write throws for what can be no packet, and nothing has changed', () => {
  const good = { payload: payload(1), timestamp: 0 };
  test.each<[string, unknown]>([
    ['no object', undefined],
    ['no payload', { timestamp: 0 }],
    ['an ArrayBuffer', { ...good, payload: new ArrayBuffer(4) }],
    ['no timestamp', { payload: payload(1) }],
    ['a fraction of a timestamp', { ...good, timestamp: 0.5 }],
    ['a marker that is no boolean', { ...good, marker: 1 }],
    ['a payload type of 128', { ...good, payloadType: 128 }],
    ['a negative sequence', { ...good, sequence: -1 }],
    ['a sequence that is no number', { ...good, sequence: '1' }],
    ['extensions that are no array', { ...good, extensions: {} }],
    ['an extension without URI', { ...good, extensions: [{ value: payload(1) }] }],
    ['an extension that is null', { ...good, extensions: [null] }],
    ['an extension of 256 bytes', { ...good, extensions: [{ uri: 'urn:x', value: payload(1, 256) }] }],
    ['a patch that is null', { ...good, patch: null }],
    ['a patch beyond the payload', { ...good, patch: { replaced: 101, bytes: payload(1) } }],
    ['a patch without bytes', { ...good, patch: { replaced: 1 } }],
  ])('%s', (_what, packet) => {
    const rig = new SendingRig([video()]);
    expect(() => rig.sender().write(packet as OutgoingPacket)).toThrow(RtcError);
    expect(rig.counted()).toEqual({});
    expect(rig.poll()).toEqual([]);
    expect(rig.activities).toBe(0);
  });
});

describe('write answers false, and counts', () => {
  test('without a path', () => {
    const rig = new SendingRig([video()]);
    rig.sending.setPath({ ...PATH, writable: false });
    expect(rig.sender().isWritable).toBe(false);
    expect(rig.write({})).toBe(false);
    expect(rig.counted()).toEqual({ writesNotWritable: 1 });
  });

  test.each(['recvonly', 'inactive'] as const)('where media are %s', (direction) => {
    const rig = new SendingRig([video({ direction })]);
    expect(rig.sender().isWritable).toBe(false);
    expect(rig.write({})).toBe(false);
    expect(rig.counted()).toEqual({ writesNotWritable: 1 });
  });

  test('under a payload type that is not agreed on', () => {
    const rig = new SendingRig([video()]);
    expect(rig.write({ payloadType: 100 })).toBe(false);
    expect(rig.counted()).toEqual({ writesUnknownCodec: 1 });
  });

  test('with too many packets, or too many bytes', () => {
    const rig = new SendingRig([video()], { maxQueuedPackets: 3, maxQueuedBytes: 250 });
    expect([1, 2, 3].map(() => rig.write({}))).toEqual([true, true, false]);
    expect([1, 2].map(() => rig.write({ payload: payload(0, 10) }))).toEqual([true, false]);
    expect(rig.counted()).toEqual({ writesQueueFull: 2 });
    expect(rig.poll()).toHaveLength(3);
    expect(rig.write({})).toBe(true);
  });

  test('with a payload that the path does not carry, sent again included', () => {
    const rig = new SendingRig([video()]);
    const header = 12 + 4 + 12; // mid, transport-wide sequence number, send time: 9 bytes
    const most = PATH.largestDatagram - PATH.overhead - header - 2;
    expect(rig.write({ payload: payload(0, most + 1) })).toBe(false);
    expect(rig.write({ payload: payload(0, most) })).toBe(true);
    const [packet] = rig.poll();
    const [again] = rig.nack(1000, packet?.sequenceNumber ?? 0).poll();
    expect(again?.bytes.length).toBe(PATH.largestDatagram - PATH.overhead);
    expect(rig.counted()).toEqual({ writesTooLarge: 1 });
  });

  test('but never what a browser may have sent, with all that forwarding adds, however small datagrams are', () => {
    const [mid, rid] = ['m'.repeat(16), 'r'.repeat(16)];
    const rig = new SendingRig([video({ mid, rids: [rid], sources: [{ rid, ssrc: 1000, rtxSsrc: 2000 }] })]);
    rig.sending.setPath({
      ...PATH,
      largestDatagram: 1200,
      overhead: 37,
      srtpOverhead: { rtp: 16, rtcp: 20 },
    });
    // 1200 bytes of RTP without any extension, and a picture id that is longer by a byte.
    const packet = { payload: payload(1, 1188), patch: { replaced: 3, bytes: payload(2, 4) }, timestamp: 0 };
    expect(rig.sender(0, rid).write(packet)).toBe(true);
    const [first] = rig.poll();
    const [again] = rig.nack(1000, first?.sequenceNumber ?? 0).poll();
    expect([first, again].map((one) => one?.payload.length)).toEqual([1189, 1191]);
    expect(again?.bytes.length).toBeLessThanOrEqual(rig.sending.largestPacket);
    expect(rig.counted()).toEqual({});
  });

  test('a host that says paths carry less than browsers send is taken at its word', () => {
    const rig = new SendingRig([video()], {}, 1, 1199);
    rig.sending.setPath({ ...PATH, largestDatagram: 1199, srtpOverhead: { rtp: 16, rtcp: 20 } });
    expect(rig.sending.largestPacket).toBe(1183);
    expect(rig.write({ payload: payload(1, 1188) })).toBe(false);
  });

  test('and what fitted the path of before is dropped when polled', () => {
    const rig = new SendingRig([video()]);
    rig.write({ payload: payload(1, 1300) });
    rig.write({ payload: payload(2) });
    rig.sending.setPath({ ...PATH, largestDatagram: 1200 });
    expect(rig.poll().map((packet) => packet.payload.length)).toEqual([100]);
    expect(rig.counted()).toEqual({ writesTooLarge: 1 });
  });
});

describe('nothing waits for ever', () => {
  test('packets that nothing takes are dropped after writeTimeout, and counted', () => {
    const rig = new SendingRig([video(), audio()]);
    rig.write({});
    rig.write({}, 1);
    rig.sending.setPath({ ...PATH, writable: false });
    expect(rig.sending.timeoutReason()).toBe('rtpWrite');
    rig.tell(1999);
    expect(rig.sender().bufferedAmount).toBe(100);
    rig.tell(2000);
    expect(rig.sender().bufferedAmount).toBe(0);
    expect(rig.counted()).toEqual({ writesExpired: 2 });
    rig.sending.setPath(PATH);
    expect(rig.poll()).toEqual([]);
    expect(rig.sending.nextTimeout()).toBe(Infinity);
  });

  test('a path that comes back in time takes them', () => {
    const rig = new SendingRig([video()]);
    rig.write({});
    rig.sending.setPath({ ...PATH, writable: false });
    expect(rig.tell(1500).poll()).toEqual([]);
    rig.sending.setPath(PATH);
    expect(rig.poll()).toHaveLength(1);
  });

  test('what is written while the clock is stale waits from the next time told', () => {
    const rig = new SendingRig([video()]);
    rig.clock.endDrain();
    rig.write({});
    rig.sending.setPath({ ...PATH, writable: false });
    rig.clock.advance(5000, rig.sending);
    rig.sending.handleTimeout(5000);
    expect(rig.sender().bufferedAmount).toBe(100);
    expect(rig.sending.nextTimeout()).toBe(7000);
  });

  test('a host that stood still finds them waiting', () => {
    const rig = new SendingRig([video()]);
    rig.write({});
    rig.sending.setPath({ ...PATH, writable: false });
    rig.tell(60_000);
    expect(rig.sender().bufferedAmount).toBe(100);
    expect(rig.sending.nextTimeout()).toBeGreaterThan(60_000);
  });

  test('packets in the pacer when their media ends are counted, and harm nothing', () => {
    const rig = new SendingRig([video(), audio()]);
    rig.write({});
    rig.write({}, 1);
    const sender = rig.sender();
    rig.sending.setMedia([audio()], 0);
    expect(rig.poll().map(({ ssrc }) => ssrc)).toEqual([3000]);
    expect(rig.counted()).toEqual({ writesDiscarded: 1 });
    expect(sender.write({ payload: payload(0), timestamp: 0 })).toBe(false);
    expect(rig.sending.sender(0)).toBeUndefined();
    expect(rig.sending.invariantViolation()).toBeUndefined();
  });

  test('closing frees all: no timer, no packet, no handle that sends', () => {
    const rig = new SendingRig([video(), audio()]);
    rig.write({});
    rig.poll();
    rig.write({});
    const sender = rig.sender(1);
    sender.writeDtmf('12');
    rig.sending.close();
    expect(rig.sending.nextTimeout()).toBe(Infinity);
    expect(rig.poll()).toEqual([]);
    expect(sender.write({ payload: payload(0), timestamp: 0 })).toBe(false);
    expect(rig.sending.stats()).toEqual([]);
    rig.nack(1000, 1).handle({ type: 'pli', senderSsrc: 1, mediaSsrc: 1000 });
    rig.sending.setMedia([video()], 0);
    rig.sending.setPath(PATH);
    expect(sender.isWritable).toBe(false);
    expect(rig.sending.invariantViolation()).toBeUndefined();
  });
});

describe('handles and sources', () => {
  test('a handle is the same through agreements, and so are its source and its numbers', () => {
    const rig = new SendingRig([video({ sources: [] })]);
    const sender = rig.sender();
    const { ssrc } = sender;
    rig.write({});
    const [first] = rig.poll();
    rig.sending.setMedia([video({ sources: [], direction: 'inactive' })], 0);
    rig.sending.setMedia([audio(), video({ sources: [] })], 0);
    expect(rig.sender()).toBe(sender);
    expect(sender.ssrc).toBe(ssrc);
    rig.write({});
    expect(rig.poll()[0]?.sequenceNumber).toBe(((first?.sequenceNumber ?? 0) + 1) & 0xffff);
  });

  test('one for each encoding, by rid; no plain one beside them', () => {
    const sources = [
      { rid: 'hi', ssrc: 1000, rtxSsrc: 2000 },
      { rid: 'lo', ssrc: 1001, rtxSsrc: 2001 },
    ];
    const rig = new SendingRig([video({ rids: ['hi', 'lo'], sources })]);
    expect(rig.sender(0, 'hi').ssrc).toBe(1000);
    expect(rig.sender(0, 'lo')).toMatchObject({ mediaId: 0, rid: 'lo', ssrc: 1001 });
    expect(rig.sending.sender(0)).toBeUndefined();
    expect(rig.sending.sender(7)).toBeUndefined();
  });

  test('an encoding that is not active cannot be written to', () => {
    const media = video({ rids: ['hi'], sources: [] });
    const rig = new SendingRig([
      { ...media, send: { ...media.send, encodings: [{ rid: 'hi', active: false }] } },
    ]);
    expect(rig.sender(0, 'hi').isWritable).toBe(false);
  });

  test('sources that nobody has told are drawn, each another one and none of the peer’s', () => {
    const media = Array.from({ length: 50 }, (_, id) => video({ id, sources: [] }));
    const rig = new SendingRig(media);
    const ssrcs = rig.sending.stats().flatMap(({ ssrc, rtxSsrc }) => [ssrc, rtxSsrc]);
    expect(new Set(ssrcs).size).toBe(100);
    expect(ssrcs).not.toContain(0);
    const plain = video({ sources: [] });
    const [told = 0] = ssrcs;
    const receive = { ...plain.receive, sources: [{ ssrc: told }] };
    expect(new SendingRig([{ ...plain, receive }]).sender().ssrc).not.toBe(told);
  });

  test('a source that is to be two streams’ is one’s, and the other has another one', () => {
    const rig = new SendingRig([video(), video({ id: 5 })]);
    const ssrcs = rig.sending.stats().flatMap(({ ssrc, rtxSsrc }) => [ssrc, rtxSsrc]);
    expect(new Set(ssrcs).size).toBe(4);
    expect(rig.counted()).toEqual({ sourcesRedrawn: 2 });
  });

  test('another source begins with nothing of the one before', () => {
    const rig = new SendingRig([video()]);
    rig.write({});
    const [before] = rig.poll();
    rig.write({});
    rig.sending.setMedia([video({ sources: [{ ssrc: 1234, rtxSsrc: 2000 }] })], 0);
    expect(rig.counted()).toEqual({ writesDiscarded: 1 });
    rig.nack(1000, before?.sequenceNumber ?? 0);
    rig.write({});
    expect(rig.poll().map(({ ssrc }) => ssrc)).toEqual([1234]);
  });

  test('a source that comes back goes on with its numbers: SRTP may not see one twice', () => {
    const rig = new SendingRig([video()]);
    rig.write({});
    const [before] = rig.poll();
    rig.sending.setMedia([], 0);
    rig.sending.setMedia([video({ id: 9 })], 0);
    rig.write({}, 9);
    expect(rig.poll()[0]?.sequenceNumber).toBe((before?.sequenceNumber ?? 0) + 1);
  });

  test('two connections of one configuration are independent, and the same seed gives the same bytes', () => {
    const bytes = [1, 1, 2].map((seed) => {
      const rig = new SendingRig([video({ sources: [] })], {}, seed);
      rig.write({ payload: payload(1) });
      return rig.poll()[0]?.bytes;
    });
    expect(bytes[0]).toEqual(bytes[1]);
    expect(bytes[0]).not.toEqual(bytes[2]);
  });

  test('calls are told as data, with what they answered', () => {
    const rig = new SendingRig([video(), audio()]);
    const calls: SenderCall[] = [];
    rig.sending.onSenderCall = (sender, call) => {
      expect(sender).toBe(rig.sender(call.method === 'writeRtp' ? 0 : 1));
      calls.push(call);
    };
    const packet = { payload: payload(0), timestamp: 0, payloadType: 5 };
    rig.sender().write(packet);
    rig.sender(1).writeDtmf('1', { duration: 50 });
    expect(calls).toEqual([
      { method: 'writeRtp', packet, result: false },
      { method: 'writeDtmf', tones: '1', options: { duration: 50 }, result: true },
    ]);
    expect(rig.activities).toBe(2);
  });

  test('stats keep what a stream has sent, and the codec it sent it by', () => {
    const rig = new SendingRig([audio()]);
    for (let i = 0; i < 3; i++) rig.write({ payload: payload(i, 50) }, 1);
    const headerBytesSent = rig.poll().reduce((sum, { headerLength }) => sum + headerLength, 0);
    expect(rig.sending.stats()[0]).toMatchObject({
      kind: 'audio',
      mid: 'b',
      ssrc: 3000,
      rtxSsrc: undefined,
      codec: OPUS,
      active: true,
      packetsSent: 3,
      bytesSent: 150,
      headerBytesSent,
      remote: undefined,
    });
    expect(JSON.parse(JSON.stringify(rig.sending.inspect()))).toEqual(rig.sending.inspect());
  });
});
