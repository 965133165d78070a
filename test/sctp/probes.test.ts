/** What fills a path MTU probe: what the peer bears. The peers here are stacks of the field, as far as they matter for that. */
import { describe, expect, test } from 'vitest';
import { isFailure } from '../../src/core/decode.ts';
import { CHUNK } from '../../src/sctp/constants.ts';
import { decodeInit } from '../../src/sctp/packet/init.ts';
import { encodeChunk } from '../../src/sctp/packet/simple.ts';
import { association, inspect, Pair, payload, receive, sent } from './pair.ts';
import { Puppet } from './puppet.ts';
import { chunksOf, kinds, packetOf } from './wire.ts';

const BASE = 1160;
const LARGEST = 1432;

/** How a stack answers a packet with a HEARTBEAT, of so many bytes. */
interface Stack {
  /** Packets with a chunk that it does not know: skipped, dropped as a whole, or the end of its process. */
  readonly unknown: 'skips' | 'drops' | 'dies';
  /** The largest packet it sends. */
  readonly sends: number;
  /** The largest packet that the way to it carries. */
  readonly path: number;
  readonly extensions?: readonly number[];
}

const WERIFT: Stack = { unknown: 'dies', sends: Infinity, path: Infinity };
const PION: Stack = { unknown: 'drops', sends: Infinity, path: Infinity };
const CHROMIUM: Stack = { unknown: 'skips', sends: 1191, path: Infinity };
const LISTS_PAD: Stack = {
  ...CHROMIUM,
  extensions: [CHUNK.reconfig, CHUNK.forwardTsn, CHUNK.pad],
};

interface Search {
  readonly fillings: string[];
  readonly sizes: number[];
  readonly size: number;
  readonly lives: boolean;
  readonly milliseconds: number;
}

/** An association that has data to send for a minute, and a peer that takes it all. */
function search({ unknown, sends, path, extensions }: Stack): Search {
  const puppet = new Puppet({ pathMtu: { probeAfter: 0 } }, extensions === undefined ? {} : { extensions });
  puppet.answersHeartbeats = false;
  const [fillings, sizes]: [string[], number[]] = [[], []];
  let lives = true;
  const deliver = (): void => {
    for (let at = sent(puppet.a), round = 0; at.length > 0 && round < 50; at = sent(puppet.a), round++) {
      for (const packet of at) {
        const chunks = chunksOf(packet);
        const heartbeat = chunks.find(({ type }) => type === CHUNK.heartbeat);
        const hasPad = chunks.some(({ type }) => type === CHUNK.pad);
        if (heartbeat !== undefined && packet.length > 100) {
          fillings.push(kinds(packet));
          sizes.push(packet.length);
        }
        if (packet.length > path) continue;
        if (hasPad && unknown === 'dies') lives = false;
        if (hasPad && unknown === 'drops') continue;
        const answer = heartbeat && encodeChunk(CHUNK.heartbeatAck, 0, heartbeat.body);
        if (answer !== undefined && answer.length + 12 <= sends) puppet.say(answer);
        if (chunks.some(({ type }) => type === CHUNK.data)) puppet.say(puppet.sack(numbers(puppet)));
      }
    }
  };
  const startedAt = puppet.now;
  let doneAt = Infinity;
  for (let i = 0; i < 120; i++) {
    puppet.a.send(0, { ppid: 53, data: payload(1000, i) });
    deliver();
    puppet.now += 500;
    puppet.a.handleTimeout(puppet.now);
    deliver();
    if (inspect(puppet.a).pathMtu.state === 'complete') doneAt = Math.min(doneAt, puppet.now);
  }
  return {
    fillings,
    sizes,
    size: inspect(puppet.a).pathMtu.size - 37,
    lives,
    milliseconds: doneAt - startedAt,
  };
}

function numbers(puppet: Puppet): number {
  return inspect(puppet.a).send.outstandingChunks === 0 ? 0 : counted(puppet);
}

const sentBefore = new WeakMap<Puppet, number>();

/** Each packet of these has chunks of its own, so counting outstanding ones is enough. */
function counted(puppet: Puppet): number {
  const all = (sentBefore.get(puppet) ?? 0) + inspect(puppet.a).send.outstandingChunks;
  sentBefore.set(puppet, all);
  return all;
}

describe('a probe is filled with what the peer bears', () => {
  test('C2: a peer that would end over a PAD chunk (werift) gets none, and packets grow', () => {
    const { fillings, size, lives, milliseconds } = search(WERIFT);
    expect([...new Set(fillings)]).toEqual(['heartbeat']);
    expect([size, lives]).toEqual([LARGEST, true]);
    expect(milliseconds).toBeLessThan(1000);
  });

  test.each([1400, 1300, 1230])('C2: nor on a path of %i bytes', (path) => {
    const { fillings, size, lives } = search({ ...WERIFT, path });
    expect([...new Set(fillings)]).toEqual(['heartbeat']);
    expect(lives).toBe(true);
    expect(size).toBeGreaterThan(path - 100);
    expect(size).toBeLessThanOrEqual(path);
  });

  test('C2: a peer that drops packets with PAD (pion) answers, and packets grow', () => {
    expect(search(PION)).toMatchObject({ size: LARGEST, fillings: ['heartbeat'] });
  });

  test('C2: a peer that sends nothing as large (Chromium) is asked with PAD, once all else was in vain', () => {
    const { fillings, sizes, size } = search(CHROMIUM);
    expect(size).toBe(LARGEST);
    expect(fillings.at(-1)).toBe('heartbeat+pad');
    expect(fillings.indexOf('heartbeat+pad')).toBe(fillings.length - 1);
    expect(Math.min(...sizes)).toBeGreaterThan(BASE);
  });

  test('C2: who lists PAD gets it at once', () => {
    expect(search(LISTS_PAD)).toMatchObject({ size: LARGEST, fillings: ['heartbeat+pad'] });
  });

  test('C2: who answers neither costs a few probes, and packets stay as they are', () => {
    const { fillings, size } = search({ ...PION, sends: 1191 });
    expect(size).toBe(BASE);
    expect(fillings.length).toBeLessThan(24);
  });
});

describe('ours', () => {
  test('C2: PAD is listed, so that two ends of this library ask with it', () => {
    const a = association(1);
    a.connect(0);
    const init = decodeInit(chunksOf(sent(a)[0] ?? new Uint8Array(12))[0]?.body ?? new Uint8Array(0));
    expect(isFailure(init) ? [] : init.extensions).toContain(CHUNK.pad);
  });

  test('C2: a HEARTBEAT as large as our largest packet is answered whole, alone; a larger one is not', () => {
    const pair = new Pair({ b: { pathMtu: {} } }).connect();
    let tag = 0;
    pair.filter = (from, packet) => {
      if (from === 0) tag = new DataView(packet.buffer, packet.byteOffset).getUint32(4);
      return true;
    };
    pair.a.send(0, { ppid: 53, data: payload(10, 1) });
    pair.runFor(500);
    const question = (size: number): Uint8Array => {
      const body = new Uint8Array(size - 16);
      new DataView(body.buffer).setUint32(0, 0x1_0000 + body.length);
      return packetOf(tag, encodeChunk(CHUNK.heartbeat, 0, body));
    };
    pair.b.send(0, { ppid: 53, data: payload(10, 1) });
    for (const size of [LARGEST, 1500]) receive(pair.b, [Uint8Array.from(question(size))], pair.now);
    const answers = sent(pair.b);
    expect(answers.map(kinds)).toEqual(['heartbeatAck', 'data']);
    expect(answers[0]?.length).toBe(LARGEST);
    expect(inspect(pair.b).counters['reply-queue-full']).toBe(1);
  });
});
