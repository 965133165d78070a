import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  StunAttributeType as Type,
  StunMethod,
  StunWriter,
  stunRequestUsername,
} from '../../src/stun/index.ts';
import { hex, messageVector, vectors } from './vectors.ts';

const transactionId = hex('000102030405060708090a0b');

function request(username: string): Uint8Array {
  return new StunWriter('request', StunMethod.binding, transactionId)
    .u32(Type.priority, 1)
    .text(Type.username, username)
    .fingerprint()
    .finish();
}

describe('stunRequestUsername', () => {
  it('F3a: a check names its receiver before anything is decoded', () => {
    expect(stunRequestUsername(hex(messageVector('ice-request-controlling').hex))).toEqual({
      receiver: 'rfrg',
      sender: 'lfrg',
    });
  });

  it('fragments of 256 characters', () => {
    const receiver = 'r'.repeat(256);
    expect(stunRequestUsername(request(`${receiver}:${'s'.repeat(256)}`))?.receiver).toBe(receiver);
  });

  it.each(['nocolon', 'two:col:ons', `${'r'.repeat(257)}:${'s'.repeat(256)}`])(
    'malformed username %#',
    (username) => {
      expect(stunRequestUsername(request(username))).toBeUndefined();
    },
  );

  it.each(['ice-success-v4', 'binding-indication-fp', 'binding-request-plain', 'turn-allocate-auth'])(
    '%s is no check',
    (id) => {
      expect(stunRequestUsername(hex(messageVector(id).hex))).toBeUndefined();
    },
  );

  it('SEC: a username behind MESSAGE-INTEGRITY does not count', () => {
    const bytes = new StunWriter('request', StunMethod.binding, transactionId)
      .attribute(Type.messageIntegrity, new Uint8Array(20))
      .text(Type.username, 'a:b')
      .finish();
    expect(stunRequestUsername(bytes)).toBeUndefined();
  });

  it('malformed vectors and random changes never throw', () => {
    for (const { hex: text } of vectors.malformed.cases) stunRequestUsername(hex(text));
    const original = request('abcd:efgh');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat({ max: original.length - 1 }), (noise, at) => {
        const bytes = original.slice();
        bytes.set(noise.subarray(0, bytes.length - at), at);
        const found = stunRequestUsername(bytes);
        expect(found === undefined || found.receiver.length <= 513).toBe(true);
      }),
    );
  });
});
