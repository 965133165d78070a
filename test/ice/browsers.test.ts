/** Recorded sessions of real agents: what they sent is understood, authenticated and answered as they answered it. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isFailure } from '../../src/core/decode.ts';
import { SeededRandom } from '../../src/core/random.ts';
import { toHex } from '../../src/core/text.ts';
import { jsCrypto } from '../../src/crypto/index.ts';
import type { IceParameters } from '../../src/ice/index.ts';
import { IceAgent } from '../../src/ice/index.ts';
import {
  StunAttributeType as Type,
  attributeXorAddress,
  decodeStun,
  shortTermKey,
  stunRequestUsername,
  verifyIntegrity,
} from '../../src/stun/index.ts';
import { hex } from '../stun/vectors.ts';

interface Session {
  readonly session: string;
  readonly offerer: IceParameters;
  readonly answerer: IceParameters;
  readonly datagrams: readonly { readonly from: 'offerer' | 'answerer'; readonly hex: string }[];
}

const file = new URL('../vectors/stun-sessions.json', import.meta.url);
const { sessions } = JSON.parse(readFileSync(file, 'utf8')) as { readonly sessions: readonly Session[] };
const crypto = jsCrypto();

describe.each(sessions)('$session', ({ offerer, answerer, datagrams }) => {
  it('every datagram decodes, its fingerprint and integrity verify', () => {
    for (const { from, hex: text } of datagrams) {
      const message = decodeStun(hex(text));
      if (isFailure(message)) throw new TypeError(message.reason);
      // A request is made with its receiver's password, an answer with its sender's.
      const owner = (from === 'offerer') === (message.class === 'request') ? answerer : offerer;
      expect(message.hasFingerprint).toBe(true);
      expect(verifyIntegrity(message, shortTermKey(crypto, owner.password))).toBe(true);
    }
  });

  it('its requests name their receiver and sender', () => {
    for (const { from, hex: text } of datagrams) {
      const username = stunRequestUsername(hex(text));
      if (username === undefined) continue;
      const [receiver, sender] = from === 'offerer' ? [answerer, offerer] : [offerer, answerer];
      expect(username).toEqual({ receiver: receiver.usernameFragment, sender: sender.usernameFragment });
    }
  });

  it("an agent in the answerer's place answers each of the offerer's checks, before it knows the offer", () => {
    const agent = new IceAgent({
      crypto,
      random: new SeededRandom(1),
      role: 'controlled',
      usernameFragment: answerer.usernameFragment,
      password: answerer.password,
    });
    const destination = { address: '127.0.0.1', port: 4000 };
    const source = { address: '127.0.0.1', port: 5000 };
    agent.addLocalCandidate({ type: 'host', protocol: 'udp', ...destination }, 0);
    const requests = datagrams.filter(({ from, hex: text }) => from === 'offerer' && text.startsWith('0001'));
    expect(requests.length).toBeGreaterThan(0);
    for (const { hex: text } of requests) {
      agent.handlePacket(hex(text), { protocol: 'udp', source, destination }, 0);
      const answer = agent.pollTransmit();
      const message = answer && decodeStun(answer.data);
      if (message === undefined || isFailure(message)) throw new TypeError('no answer');
      expect(message.class).toBe('success');
      expect(toHex(message.bytes.subarray(8, 20))).toBe(text.slice(16, 40));
      expect(attributeXorAddress(message, Type.xorMappedAddress)).toEqual(source);
    }
    expect(agent.isAuthenticatedPath(destination, source)).toBe(true);
  });
});
