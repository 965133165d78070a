/** The pcapng export: its structure here, and what Wireshark makes of it where tshark is present. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Trace } from '../../src/trace/index.ts';
import { pcapng, redactTrace } from '../../src/trace/index.ts';
import { describeForeign } from '../interop/availability.ts';
import { recordedMedia } from './recorded-media.ts';
import { recordedSession } from './recorded.ts';

const session = recordedSession(3, { latency: 20, loss: 0.1, duplicate: 0.05 });
const { net, offerer, answerer } = session;

interface Block {
  readonly type: number;
  readonly body: Buffer;
}

/** Walks the blocks; throws where a length does not stand at both ends. */
function blocksOf(file: Uint8Array): Block[] {
  const bytes = Buffer.from(file);
  const blocks: Block[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = bytes.readUInt32LE(at + 4);
    expect(length % 4).toBe(0);
    expect(bytes.readUInt32LE(at + length - 4)).toBe(length);
    blocks.push({ type: bytes.readUInt32LE(at), body: bytes.subarray(at + 8, at + length - 4) });
    at += length;
  }
  return blocks;
}

function countOf(trace: Trace, ...types: readonly string[]): number {
  return trace.entries.filter(({ type }) => types.includes(type)).length;
}

describe('the file', () => {
  test('a section, two interfaces, the keys, then packets of both', () => {
    const blocks = blocksOf(pcapng(offerer.trace));
    expect(blocks.slice(0, 4).map(({ type }) => type)).toEqual([0x0a0d0d0a, 1, 1, 10]);
    expect(blocks.slice(1, 3).map(({ body }) => body.readUInt16LE(0))).toEqual([101, 248]);
    expect(blocks[3]?.body.toString('latin1', 8)).toMatch(/^CLIENT_RANDOM [0-9a-f]{64} [0-9a-f]{96}\n/);
    const packets = blocks.slice(4);
    expect(packets.every(({ type }) => type === 6)).toBe(true);
    const onWire = packets.filter(({ body }) => body.readUInt32LE(0) === 0);
    expect(onWire).toHaveLength(countOf(offerer.trace, 'transmit', 'receive'));
    expect(packets).toHaveLength(countOf(offerer.trace, 'transmit', 'receive', 'packet'));
  });

  test('without keys in the trace there are none in the file', () => {
    const blocks = blocksOf(pcapng(redactTrace(offerer.trace)));
    expect(blocks.some(({ type }) => type === 10)).toBe(false);
  });

  test('times are microseconds since the epoch given', () => {
    const epoch = 1_700_000_000_000;
    const packets = blocksOf(pcapng(offerer.trace, { epoch })).filter(({ type }) => type === 6);
    const times = packets.map(({ body }) => body.readUInt32LE(4) * 2 ** 32 + body.readUInt32LE(8));
    const first = offerer.trace.entries.find(({ type }) => type === 'transmit');
    expect(times[0]).toBe((epoch + (first?.at ?? 0)) * 1000);
  });

  test('what became of each datagram stands in its comment', () => {
    const file = Buffer.from(pcapng({ datagrams: net.datagrams })).toString('latin1');
    expect(file.split('; lost: lost').length - 1).toBe(
      net.datagrams.filter(({ fate }) => fate === 'lost').length,
    );
    expect(file).toContain('arrived 2 times');
  });

  test('IPv6 datagrams too; addresses that are none are left out', () => {
    const one = net.datagrams[0]!;
    const v6 = { address: '2001:db8::1', port: 1 };
    const name = { address: 'host.local', port: 1 };
    const blocks = blocksOf(
      pcapng({
        datagrams: [
          { ...one, source: v6, destination: v6 },
          { ...one, source: name, destination: v6 },
        ],
      }),
    );
    expect(blocks.filter(({ type }) => type === 6)).toHaveLength(1);
    const packet = blocks.at(-1)?.body.subarray(20) ?? Buffer.alloc(0);
    expect(packet[0]).toBe(0x60);
    // A right checksum makes the sum of all words, the pseudo-header's included, come out as all ones.
    const words = Buffer.concat([
      packet.subarray(8, 40),
      packet.subarray(4, 6),
      Buffer.from([0, 17]),
      packet.subarray(40, 40 + 8 + one.length),
    ]);
    let sum = 0;
    for (let at = 0; at < words.length; at += 2) sum += words.readUInt16BE(at);
    expect(sum % 0xffff).toBe(0);
  });
});

const missing =
  spawnSync('tshark', ['--version']).status === 0
    ? undefined
    : 'tshark is not installed (apt-get install tshark)';

describeForeign('Wireshark', missing, () => {
  /** Fields of each packet as tshark reads them. */
  function read(file: Uint8Array, fields: readonly string[], ...more: readonly string[]): string[][] {
    const folder = mkdtempSync(join(tmpdir(), 'sansrtc-'));
    try {
      const path = join(folder, 'trace.pcapng');
      writeFileSync(path, file);
      const args = ['-r', path, '-T', 'fields', ...fields.flatMap((field) => ['-e', field]), ...more];
      const out = execFileSync('tshark', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
      return out
        .trimEnd()
        .split('\n')
        .map((line) => line.split('\t'));
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  const file = pcapng({ datagrams: net.datagrams, traces: [offerer.trace, answerer.trace] });

  test('every packet is what we say, none is malformed, every checksum is right', () => {
    const packets = read(
      file,
      ['frame.interface_name', '_ws.col.Protocol', '_ws.col.Info', 'frame.comment', '_ws.malformed'],
      ...['-o', 'ip.check_checksum:TRUE', '-o', 'udp.check_checksum:TRUE', '-o', 'sctp.checksum:TRUE'],
    );
    const inside = [offerer.trace, answerer.trace].reduce(
      (sum, { entries }) =>
        sum + entries.filter((one) => one.type === 'packet' && one.direction === 'out').length,
      0,
    );
    expect(packets).toHaveLength(net.datagrams.length + inside);
    for (const [name, protocol, , comment, malformed] of packets) {
      expect(malformed ?? '').toBe('');
      const said = comment?.split(' ')[0];
      if (said === 'STUN') expect(protocol).toBe('STUN');
      else if (said === 'DTLS') expect(protocol).toMatch(/^DTLS/);
      else expect([name, protocol]).toEqual(['plaintext', expect.stringMatching(/SCTP|RTCDC/)]);
    }
    const infos = packets.map(([, , info]) => info ?? '');
    expect(infos.some((info) => info.includes('DATA_CHANNEL_OPEN_REQUEST'))).toBe(true);
    const wrong = read(file, ['frame.number'], '-Y', 'ip.checksum.status == 0 || udp.checksum.status == 0');
    expect(wrong).toEqual([['']]);
  });

  test('the keys open the DTLS records: Finished is read, not just "encrypted"', () => {
    const infos = read(file, ['_ws.col.Info']).map(([info]) => info ?? '');
    expect(infos.filter((info) => info.endsWith('Finished')).length).toBeGreaterThan(1);
    expect(infos.some((info) => info.includes('Encrypted'))).toBe(false);
  });

  test('media: every packet is opened as what it is, and none is malformed', () => {
    // With a profile of AEAD Wireshark 4.0 looks for the SRTCP index where RFC 3711 has it, not where RFC 7714 §9.1 has it, and reads what
    // is encrypted as plain RTCP.
    const dtls = { srtpProfiles: ['SRTP_AES128_CM_HMAC_SHA1_80'] } as const;
    const { offerer, answerer } = recordedMedia(5, { latency: 20, loss: 0.05 }, { dtls });
    const fields = ['frame.interface_name', '_ws.col.Protocol', 'frame.comment', '_ws.malformed'];
    const packets = read(pcapng([offerer.trace, answerer.trace]), [...fields, 'rtp.ssrc', 'rtcp.pt']);
    const opened = packets.filter(([name]) => name === 'media');
    const inside = [offerer.trace, answerer.trace].flatMap(({ entries }) =>
      entries.filter((one) => one.type === 'packet' && one.direction === 'out' && one.kind !== 'sctp'),
    );
    expect(opened).toHaveLength(inside.length);
    for (const [, , comment, malformed] of packets) expect(malformed ?? '', comment).toBe('');
    for (const [, protocol, comment, , ssrc, types] of opened) {
      const [said] = comment?.split(' ') ?? [];
      if (said === 'RTP')
        expect([protocol, ssrc], comment).toEqual([
          expect.stringMatching(/^RTP( EVENT)?$/),
          expect.stringMatching(/^0x/),
        ]);
      else expect([said, protocol, types], comment).toEqual(['RTCP', 'RTCP', expect.stringMatching(/^20\d/)]);
    }
    // Reports, source descriptions, a farewell, feedback of both kinds: each is met.
    const types = new Set(opened.flatMap(([, , , , , found]) => found?.split(',') ?? []));
    expect([...types]).toEqual(expect.arrayContaining(['200', '201', '202', '203', '205', '206']));
  });
});
