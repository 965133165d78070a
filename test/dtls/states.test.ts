import { describe, expect, it } from 'vitest';
import { equalBytes } from '../../src/core/bytes.ts';
import { toHex } from '../../src/core/text.ts';
import type { Certificate, DtlsRole } from '../../src/dtls/index.ts';
import { encodeCertificate, encodeCertificateRequest } from '../../src/dtls/messages/certificates.ts';
import type { HandshakeMessage } from '../../src/dtls/messages/handshake.ts';
import { HandshakeType } from '../../src/dtls/messages/handshake.ts';
import { encodeHelloVerifyRequest } from '../../src/dtls/messages/hello.ts';
import { AlertDescription } from '../../src/dtls/alerts.ts';
import { Conversation } from './machines.ts';
import { certificates } from './pair.ts';

/** What each state waits for. Everything absent is an error: T120–T126 are generated from this table. */
const EXPECTED: Record<DtlsRole, Record<string, readonly number[]>> = {
  client: {
    'await-server-hello': [HandshakeType.serverHello, HandshakeType.helloVerifyRequest],
    'await-certificate': [HandshakeType.certificate],
    'await-server-key-exchange': [HandshakeType.serverKeyExchange],
    'await-certificate-request': [HandshakeType.certificateRequest, HandshakeType.serverHelloDone],
    'await-server-hello-done': [HandshakeType.serverHelloDone],
    'await-finished': [HandshakeType.finished],
    complete: [],
  },
  server: {
    'await-client-hello': [HandshakeType.clientHello],
    'await-certificate': [HandshakeType.certificate],
    'await-client-key-exchange': [HandshakeType.clientKeyExchange],
    'await-certificate-verify': [HandshakeType.certificateVerify],
    'await-finished': [HandshakeType.finished],
    complete: [],
  },
};

const TYPES = [...Object.values(HandshakeType), 4, 24, 255];

/** Flips the last byte. */
function garbled(message: HandshakeMessage): HandshakeMessage {
  const body = message.body.slice();
  body[body.length - 1]! ^= 1;
  return { ...message, body };
}

function shortened(message: HandshakeMessage): HandshakeMessage {
  return { ...message, body: message.body.subarray(0, message.body.length - 1) };
}

/** Shows somebody else's certificate, and has only a key of its own. */
function thief(of: DtlsRole): Certificate {
  const own = certificates[of === 'client' ? 'server' : 'client'];
  return { ...certificates[of], signingKey: own.signingKey };
}

describe('state machines', () => {
  it('complete on both sides with the same group', () => {
    const conversation = new Conversation();
    expect(conversation.until()).toBeUndefined();
    expect(conversation.client.machine.state).toBe('complete');
    expect(conversation.server.machine.state).toBe('complete');
    expect(conversation.client.handshake.group).toBe('x25519');
    expect(conversation.server.handshake.group).toBe('x25519');
  });

  describe.each(['client', 'server'] as const)('T120–T126 the %s', (role) => {
    it.each(Object.entries(EXPECTED[role]))('in %s refuses every other message', (state, expected) => {
      const conversation = new Conversation();
      expect(conversation.until(role, state)).toBeUndefined();
      const { machine } = conversation.side(role);
      for (const type of TYPES.filter((candidate) => !expected.includes(candidate))) {
        const problem = machine.handle({ type, messageSeq: 9, body: new Uint8Array(40) });
        expect(problem).toMatchObject({ code: 'unexpected-message', alert: 10 });
        expect(machine.state).toBe(state);
      }
      // Refusing has spoilt nothing.
      expect(conversation.until()).toBeUndefined();
      expect(machine.state).toBe('complete');
    });

    it('takes no message that is cut short', () => {
      const states = Object.keys(EXPECTED[role]).filter((state) => state !== 'complete');
      for (const state of states.filter((name) => name !== 'await-server-hello-done')) {
        const conversation = new Conversation();
        conversation.until(role, state);
        const step = conversation.next(role, shortened);
        const code = state === 'await-finished' ? 'finished-mismatch' : 'malformed-message';
        expect([state, step?.problem?.code]).toEqual([state, code]);
      }
    });
  });

  it('SEC-01 the client refuses a ServerKeyExchange not signed by the certificate it has seen', () => {
    const conversation = new Conversation({}, { certificate: thief('server') });
    expect(conversation.until()).toMatchObject({
      code: 'signature-invalid',
      alert: AlertDescription.decryptError,
    });
    expect(conversation.client.machine.state).toBe('await-server-key-exchange');
  });

  it.each([
    ['server random', HandshakeType.serverHello, 2],
    ['key share', HandshakeType.serverKeyExchange, 10],
  ])('SEC-01 the signature of ServerKeyExchange covers the %s', (_, type, at) => {
    const conversation = new Conversation();
    conversation.next('server');
    const change = (message: HandshakeMessage): HandshakeMessage => {
      if (message.type === type) message.body[at]! ^= 1;
      return message;
    };
    const codes: (string | undefined)[] = [];
    for (let i = 0; i < 3; i++) codes.push(conversation.next('client', change)?.problem?.code);
    expect(codes).toEqual([undefined, undefined, 'signature-invalid']);
  });

  it('SEC-01 the signature of ServerKeyExchange covers the client random', () => {
    const conversation = new Conversation();
    conversation.next('server', (message) => {
      message.body[2]! ^= 1;
      return message;
    });
    expect(conversation.until()?.code).toBe('signature-invalid');
  });

  it('SEC-02 the server refuses a CertificateVerify not signed by the certificate it has seen', () => {
    const conversation = new Conversation({ certificate: thief('client') });
    expect(conversation.until()).toMatchObject({
      code: 'signature-invalid',
      alert: AlertDescription.decryptError,
    });
    expect(conversation.server.machine.state).toBe('await-certificate-verify');
  });

  it('SEC-02 CertificateVerify covers the hellos, even what decides nothing', () => {
    const conversation = new Conversation();
    // secp256r1, the second group, becomes secp384r1: x25519 is chosen all the same.
    const step = conversation.next('server', (message) => {
      const at = toHex(message.body).indexOf('001d0017') / 2;
      message.body[at + 3] = 0x18;
      return message;
    });
    expect(step?.problem).toBeUndefined();
    expect(conversation.until()?.code).toBe('signature-invalid');
    expect(conversation.server.machine.state).toBe('await-certificate-verify');
  });

  it.each(['client', 'server'] as const)('SEC-03 the %s compares the whole Finished', (role) => {
    const conversation = new Conversation();
    conversation.until(role, 'await-finished');
    const step = conversation.next(role, garbled);
    expect(step?.problem).toMatchObject({ code: 'finished-mismatch', alert: AlertDescription.decryptError });
    expect(conversation.side(role).machine.state).toBe('await-finished');
  });

  it("SEC-03 the client does not take its own Finished for the server's", () => {
    const conversation = new Conversation();
    conversation.until('client', 'await-finished');
    const own = conversation.client.said.find(({ type }) => type === HandshakeType.finished);
    const step = conversation.next('client', (message) => ({ ...message, body: own?.body ?? message.body }));
    expect(step?.problem?.code).toBe('finished-mismatch');
  });

  it.each(['client', 'server'] as const)('T003 T115 the %s insists on a certificate', (role) => {
    const conversation = new Conversation();
    conversation.until(role, 'await-certificate');
    const step = conversation.next(role, (message) => ({ ...message, body: encodeCertificate([]) }));
    expect(step?.problem).toMatchObject({
      code: 'certificate-missing',
      alert: AlertDescription.handshakeFailure,
    });
  });

  it('T115 uses the leaf of a longer chain', () => {
    const conversation = new Conversation();
    conversation.until('client', 'await-certificate');
    const { der } = certificates.server;
    const chain = encodeCertificate([der, certificates.client.der, der, der, der]);
    expect(conversation.next('client', (message) => ({ ...message, body: chain }))?.problem).toBeUndefined();
    expect(conversation.client.machine.state).toBe('await-server-key-exchange');
  });

  it('T115 refuses a certificate of no bytes', () => {
    const conversation = new Conversation();
    conversation.until('client', 'await-certificate');
    const empty = Uint8Array.of(0, 0, 3, 0, 0, 0);
    const step = conversation.next('client', (message) => ({ ...message, body: empty }));
    expect(step?.problem?.code).toBe('malformed-message');
  });

  it.each([
    ['no ECDSA certificates', { certificateTypes: Uint8Array.of(1), signatureSchemes: [0x0403] }],
    ['no scheme of ours', { certificateTypes: Uint8Array.of(64), signatureSchemes: [0x0804, 0x0203] }],
  ])('T020 fails cleanly when the server accepts %s', (_, request) => {
    const conversation = new Conversation();
    conversation.until('client', 'await-certificate-request');
    const body = encodeCertificateRequest(request);
    const step = conversation.next('client', (message) => ({ ...message, body }));
    expect(step?.problem).toMatchObject({
      code: 'no-common-signature',
      alert: AlertDescription.handshakeFailure,
    });
  });

  it.each([
    ['the wrong length', new Uint8Array(31)],
    ['low order', new Uint8Array(32)],
  ])('SEC-18 T116 the server refuses an x25519 share of %s', (_, share) => {
    const conversation = new Conversation();
    conversation.until('server', 'await-client-key-exchange');
    const body = Uint8Array.of(share.length, ...share);
    const step = conversation.next('server', (message) => ({ ...message, body }));
    expect(step?.problem).toMatchObject({
      code: 'key-share-invalid',
      alert: AlertDescription.illegalParameter,
    });
  });

  it('SEC-17 the client refuses a signature scheme it has not offered', () => {
    const conversation = new Conversation();
    conversation.until('client', 'await-server-key-exchange');
    const step = conversation.next('client', (message) => {
      // curve_type 1, group 2, length 1, x25519 share 32, then the scheme: ecdsa_sha1 instead.
      message.body[36] = 0x02;
      return message;
    });
    expect(step?.problem?.code).toBe('illegal-parameter');
  });

  describe('HelloVerifyRequest', () => {
    function verifyRequest(cookie: Uint8Array, messageSeq: number, version = 0xfeff): HandshakeMessage {
      const body = encodeHelloVerifyRequest({ version, cookie });
      return { type: HandshakeType.helloVerifyRequest, messageSeq, body };
    }

    it.each([0, 20, 255])('T006 T007 answers a cookie of %i bytes with the same random', (length) => {
      const { client } = new Conversation();
      const cookie = new Uint8Array(length).fill(7);
      expect(client.machine.handle(verifyRequest(cookie, 0))).toBeUndefined();
      const [first, second] = client.said;
      if (first === undefined || second === undefined) throw new Error('no second hello');
      expect(second.messageSeq).toBe(1);
      expect(equalBytes(first.body.subarray(0, 35), second.body.subarray(0, 35))).toBe(true);
      expect(second.body[35]).toBe(length);
      expect(equalBytes(second.body.subarray(36, 36 + length), cookie)).toBe(true);
    });

    it('T006 leaves the first hello and the request out of the transcript', () => {
      const conversation = new Conversation();
      const { client, server } = conversation;
      client.machine.handle(verifyRequest(new Uint8Array(20), 0));
      // The server of this test has not asked for the cookie: it sees the second hello alone.
      conversation.heard.server.push(...client.said.slice(0, 1));
      expect(conversation.until()).toBeUndefined();
      expect(client.machine.state).toBe('complete');
      expect(server.machine.state).toBe('complete');
    });

    it('T008 gives up at the third', () => {
      const { client } = new Conversation();
      expect(client.machine.handle(verifyRequest(new Uint8Array(20), 0))).toBeUndefined();
      expect(client.machine.handle(verifyRequest(new Uint8Array(20), 1))).toBeUndefined();
      expect(client.machine.handle(verifyRequest(new Uint8Array(20), 2))?.code).toBe('illegal-parameter');
    });
  });
});
