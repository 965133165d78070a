/**
 * What Chromium (libsrtp) and werift have sent each other, under the keys that they had: opened, and made again byte for byte.
 */
import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/core/text.ts';
import { jsCrypto } from '../../src/crypto/index.ts';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import { createSrtp } from '../../src/srtp/index.ts';
import capture from '../vectors/srtp-session.json' with { type: 'json' };
import { hex } from './packets.ts';

type End = 'offerer' | 'answerer';

describe.each([jsCrypto(), nodeCrypto()])('a session of Chromium’s with werift, on $name', (crypto) => {
  it.each([
    { sender: 'offerer', name: 'Chromium' },
    { sender: 'answerer', name: 'werift' },
  ] as const)('what the $sender, $name, has sent is authentic, and RTP and RTCP', ({ sender }) => {
    const receiver: End = sender === 'offerer' ? 'answerer' : 'offerer';
    const master = (end: End) => ({ key: hex(capture.keys[end].key), salt: hex(capture.keys[end].salt) });
    const opening = createSrtp({
      profile: 'SRTP_AES128_CM_HMAC_SHA1_80',
      crypto,
      local: master(receiver),
      remote: master(sender),
    });
    const sealing = createSrtp({
      profile: 'SRTP_AES128_CM_HMAC_SHA1_80',
      crypto,
      local: master(sender),
      remote: master(receiver),
    });
    const packets = capture.packets.filter(({ from }) => from === sender);
    for (const { kind, hex: text } of packets) {
      const sealed = hex(text);
      const packet = sealed.slice();
      const length = kind === 'rtcp' ? opening.unprotectRtcp(packet) : opening.unprotectRtp(packet);
      expect(length).toBeGreaterThan(0);
      if (kind === 'rtcp') {
        // The first packet's length ends within the compound, in words.
        expect(4 + 4 * ((packet[2]! << 8) | packet[3]!)).toBeLessThanOrEqual(length);
        continue;
      }
      const again = new Uint8Array(sealed.length);
      again.set(packet.subarray(0, length));
      expect(sealing.protectRtp(again, 0, length)).toBe(sealed.length);
      expect(toHex(again)).toBe(toHex(sealed));
    }
    const { counters } = opening.inspect();
    expect(counters.unprotectedRtp + counters.unprotectedRtcp).toBe(packets.length);
    expect(packets.length).toBeGreaterThan(10);
    expect(counters.unprotectedRtcp).toBeGreaterThan(0);
  });
});
