/** The state machines of DTLS 1.3: every message that is not its state's turn, every proof that does not hold. */
import { describe, expect, it } from 'vitest';
import type { Certificate, DtlsRole } from '../../src/dtls/index.ts';
import { Dtls } from '../../src/dtls/index.ts';
import { AlertDescription } from '../../src/dtls/alerts.ts';
import { isFailure } from '../../src/core/decode.ts';
import { encodeCertificate13, encodeCertificateRequest13 } from '../../src/dtls/messages/certificates13.ts';
import type { Extension } from '../../src/dtls/messages/extensions.ts';
import { ExtensionType, encodeU16, findExtension } from '../../src/dtls/messages/extensions.ts';
import type { HandshakeMessage } from '../../src/dtls/messages/handshake.ts';
import { HandshakeType } from '../../src/dtls/messages/handshake.ts';
import type { ClientHello, ServerHello } from '../../src/dtls/messages/hello.ts';
import {
  RETRY_REQUEST_RANDOM,
  decodeClientHello,
  decodeServerHello,
  encodeClientHello,
  encodeServerHello,
} from '../../src/dtls/messages/hello.ts';
import { encodeKeyShare, encodeKeyShares } from '../../src/dtls/messages/key-share.ts';
import { Conversation } from './machines.ts';
import type { MachineOptions, Step } from './machines.ts';
import { Pair, certificates, engineOptions } from './pair.ts';

const only13 = { versions: { min: '1.3', max: '1.3' } } as const;
const auto = { versions: { min: '1.2', max: '1.3' } } as const;

const EXPECTED: Record<DtlsRole, Record<string, readonly number[]>> = {
  client: {
    'await-server-hello': [HandshakeType.serverHello, HandshakeType.helloVerifyRequest],
    'await-encrypted-extensions': [HandshakeType.encryptedExtensions],
    'await-certificate-request': [HandshakeType.certificateRequest, HandshakeType.certificate],
    'await-certificate': [HandshakeType.certificate],
    'await-certificate-verify': [HandshakeType.certificateVerify],
    'await-finished': [HandshakeType.finished],
    complete: [HandshakeType.keyUpdate, HandshakeType.newSessionTicket],
  },
  server: {
    'await-client-hello': [HandshakeType.clientHello],
    'await-certificate': [HandshakeType.certificate],
    'await-certificate-verify': [HandshakeType.certificateVerify],
    'await-finished': [HandshakeType.finished],
    complete: [HandshakeType.keyUpdate],
  },
};

const TYPES = [...Object.values(HandshakeType), 5, 254, 255];

function thief(of: DtlsRole): Certificate {
  const own = certificates[of === 'client' ? 'server' : 'client'];
  return { ...certificates[of], signingKey: own.signingKey };
}

function garbled(message: HandshakeMessage): HandshakeMessage {
  const body = message.body.slice();
  body[body.length - 1]! ^= 1;
  return { ...message, body };
}

/** The conversation up to `state` of `role`; the next message is then handed over changed. */
function atState(
  role: DtlsRole,
  state: string,
  change: (message: HandshakeMessage) => HandshakeMessage,
): Step | undefined {
  const conversation = new Conversation(only13, only13);
  expect(conversation.until(role, state)).toBeUndefined();
  return conversation.next(role, change);
}

describe.each(['client', 'server'] as const)('T120–T126 the %s of DTLS 1.3', (role) => {
  it.each(Object.entries(EXPECTED[role]))('in %s refuses every other message', (state, expected) => {
    const conversation = new Conversation(only13, only13);
    expect(conversation.until(role, state)).toBeUndefined();
    const { machine } = conversation.side(role);
    expect(machine.state).toBe(state);
    for (const type of TYPES.filter((candidate) => !expected.includes(candidate))) {
      const problem = machine.handle({ type, messageSeq: 9, body: new Uint8Array(40) });
      expect([type, problem?.code]).toEqual([type, 'unexpected-message']);
      expect(machine.state).toBe(state);
    }
    expect(conversation.until()).toBeUndefined();
    expect(machine.state).toBe('complete');
  });

  it('SEC-03 compares the whole Finished', () => {
    expect(atState(role, 'await-finished', garbled)?.problem).toMatchObject({
      code: 'finished-mismatch',
      alert: AlertDescription.decryptError,
    });
  });

  it('SEC-02 refuses a certificate whose key the peer does not hold', () => {
    const other = role === 'client' ? 'server' : 'client';
    const stolen = { ...only13, certificate: thief(other) };
    const conversation =
      role === 'client' ? new Conversation(only13, stolen) : new Conversation(stolen, only13);
    expect(conversation.until()).toMatchObject({
      code: 'signature-invalid',
      alert: AlertDescription.decryptError,
    });
    expect(conversation.side(role).machine.state).toBe('await-certificate-verify');
  });

  it('SEC-17 refuses a signature scheme that was not offered', () => {
    const step = atState(role, 'await-certificate-verify', (message) => {
      message.body[0] = 8;
      return message;
    });
    expect(step?.problem?.code).toBe('illegal-parameter');
  });

  it('T003 T115 insists on a certificate, and on one of some bytes', () => {
    const none = atState(role, 'await-certificate', (message) => ({
      ...message,
      body: encodeCertificate13([]),
    }));
    expect(none?.problem?.code).toBe('certificate-missing');
    const empty = Uint8Array.of(0, 0, 0, 5, 0, 0, 0, 0, 0);
    expect(
      atState(role, 'await-certificate', (message) => ({ ...message, body: empty }))?.problem?.code,
    ).toBe('malformed-message');
  });

  it('takes no message that is cut short', () => {
    for (const state of Object.keys(EXPECTED[role]).filter((name) => name !== 'complete')) {
      const step = atState(role, state, (message) => ({ ...message, body: message.body.subarray(0, -1) }));
      const expected = state === 'await-finished' ? 'finished-mismatch' : 'malformed-message';
      expect([state, step?.problem?.code]).toEqual([state, expected]);
    }
  });
});

it('SEC-02 a CertificateVerify of the server is no CertificateVerify of the client', () => {
  const conversation = new Conversation(only13, only13);
  conversation.until('server', 'await-certificate-verify');
  const theirs = conversation.server.said.find(({ type }) => type === HandshakeType.certificateVerify);
  const step = conversation.next('server', (message) => ({ ...message, body: theirs?.body ?? message.body }));
  expect(step?.problem?.code).toBe('signature-invalid');
});

it('T020 a server that accepts no signature of ours is told so', () => {
  const body = encodeCertificateRequest13([0x0804]);
  const step = atState('client', 'await-certificate-request', (message) => ({ ...message, body }));
  expect(step?.problem?.code).toBe('no-common-signature');
});

describe('ServerHello, as the client reads it', () => {
  function answered(
    change: (hello: ServerHello) => Partial<ServerHello>,
    client: MachineOptions = auto,
    server: MachineOptions = auto,
  ): string | undefined {
    const conversation = new Conversation(client, server);
    const step = conversation.next('client', (message) => {
      const hello = decodeServerHello(message.body);
      if (isFailure(hello)) throw new Error(hello.reason);
      return { ...message, body: encodeServerHello({ ...hello, ...change(hello) }) };
    });
    return step?.problem?.code;
  }

  function replaced(hello: ServerHello, type: number, data?: Uint8Array): readonly Extension[] {
    const others = hello.extensions.filter((extension) => extension.type !== type);
    return data === undefined ? others : [...others, { type, data }];
  }

  const share = (groupCode: number, length: number): Uint8Array =>
    encodeKeyShare({ groupCode, publicKey: new Uint8Array(length).fill(9) });

  it.each<[string, (hello: ServerHello) => Partial<ServerHello>, string]>([
    ['T015 a session id', () => ({ sessionId: new Uint8Array(32) }), 'illegal-parameter'],
    ['a suite of DTLS 1.2', () => ({ cipherSuite: 0xc02b }), 'illegal-parameter'],
    ['a suite not offered', () => ({ cipherSuite: 0x1304 }), 'illegal-parameter'],
    ['compression', () => ({ compressionMethod: 1 }), 'illegal-parameter'],
    ['another legacy_version', () => ({ version: 0xfefc }), 'version-unsupported'],
    [
      'DTLS 1.2 in supported_versions',
      (hello) => ({ extensions: replaced(hello, ExtensionType.supportedVersions, encodeU16(0xfefd)) }),
      'version-unsupported',
    ],
    [
      'no key share',
      (hello) => ({ extensions: replaced(hello, ExtensionType.keyShare) }),
      'extension-missing',
    ],
    [
      'T005 a share of a group without a share of ours',
      (hello) => ({ extensions: replaced(hello, ExtensionType.keyShare, share(0x0017, 65)) }),
      'illegal-parameter',
    ],
    [
      'SEC-18 a share of the wrong length',
      (hello) => ({ extensions: replaced(hello, ExtensionType.keyShare, share(0x001d, 31)) }),
      'key-share-invalid',
    ],
    [
      'T016 an extension for another message',
      (hello) => ({ extensions: replaced(hello, ExtensionType.supportedGroups, new Uint8Array(2)) }),
      'extension-unsolicited',
    ],
  ])('refuses %s', (_, change, code) => {
    expect(answered(change)).toBe(code);
  });

  it('T017 SEC-20 refuses DTLS 1.2 from a server that could do better, and only then', () => {
    const downgrade = (hello: ServerHello): Partial<ServerHello> => ({
      extensions: hello.extensions,
    });
    // The server of `auto` that has been shown a hello without supported_versions sets the sentinel.
    const conversation = new Conversation(auto, auto);
    conversation.next('server', (message) => {
      const hello = decodeClientHello(message.body);
      if (isFailure(hello)) throw new Error(hello.reason);
      const extensions = hello.extensions.filter(({ type }) => type !== ExtensionType.supportedVersions);
      return { ...message, body: encodeClientHello({ ...hello, extensions }) };
    });
    expect(conversation.next('client')?.problem).toMatchObject({
      code: 'version-downgraded',
      alert: AlertDescription.illegalParameter,
    });
    const only12 = { versions: { min: '1.2', max: '1.2' } } as const;
    expect(answered(downgrade, auto, only12)).toBeUndefined();
    expect(answered(downgrade, only12, auto)).toBeUndefined();
  });
});

describe('T080 HelloRetryRequest', () => {
  const client = { ...auto, groups: ['x25519', 'secp256r1'] } as const;

  function retry(extensions: readonly Extension[], cipherSuite = 0x1301): HandshakeMessage {
    const versions = { type: ExtensionType.supportedVersions, data: encodeU16(0xfefc) };
    const body = encodeServerHello({
      version: 0xfefd,
      random: RETRY_REQUEST_RANDOM,
      sessionId: new Uint8Array(),
      cipherSuite,
      compressionMethod: 0,
      extensions: [versions, ...extensions],
    });
    return { type: HandshakeType.serverHello, messageSeq: 0, body };
  }
  const asking = (code: number): Extension => ({ type: ExtensionType.keyShare, data: encodeU16(code) });

  it('is answered with the share it asks for, the cookie and the same random', () => {
    const { machine, said } = new Conversation(client, client).client;
    const data = Uint8Array.of(0, 3, 7, 8, 9);
    expect(machine.handle(retry([asking(0x0017), { type: ExtensionType.cookie, data }]))).toBeUndefined();
    const [first, second] = said.map(({ body }) => decodeClientHello(body));
    if (first === undefined || second === undefined || isFailure(first) || isFailure(second))
      throw new Error('no hello');
    expect(second.random).toEqual(first.random);
    expect(findExtension(second.extensions, ExtensionType.cookie)).toEqual(data);
    expect(findExtension(second.extensions, ExtensionType.keyShare)?.length).toBe(2 + 4 + 65);
  });

  it.each<[string, HandshakeMessage, string]>([
    ['asks for nothing', retry([]), 'illegal-parameter'],
    ['asks for the share that was sent', retry([asking(0x001d)]), 'illegal-parameter'],
    ['asks for a group that was not offered', retry([asking(0x0019)]), 'illegal-parameter'],
    [
      'brings what it must not',
      retry([asking(0x0017), { type: 99, data: new Uint8Array() }]),
      'extension-unsolicited',
    ],
  ])('is refused when it %s', (_, message, code) => {
    expect(new Conversation(client, client).client.machine.handle(message)?.code).toBe(code);
  });

  it('is refused the second time, and binds suite and version', () => {
    for (const [message, code] of [
      [retry([asking(0x001d)]), 'unexpected-message'],
      [retry([asking(0x001d)], 0x1302), 'illegal-parameter'],
    ] as const) {
      const { machine } = new Conversation(client, client).client;
      machine.handle(retry([asking(0x0017)]));
      expect(machine.handle({ ...message, messageSeq: 1 })?.code).toBe(code);
    }
  });

  it.each<[string, (hello: ClientHello) => Partial<ClientHello>]>([
    ['another random', () => ({ random: new Uint8Array(32) })],
    [
      'the old share',
      (hello) => ({ extensions: hello.extensions.filter(({ type }) => type !== ExtensionType.keyShare) }),
    ],
    [
      'two shares',
      (hello) => ({
        extensions: hello.extensions.map((extension) =>
          extension.type === ExtensionType.keyShare
            ? {
                type: extension.type,
                data: encodeKeyShares([
                  { groupCode: 0x0017, publicKey: new Uint8Array(65).fill(4) },
                  { groupCode: 0x001d, publicKey: new Uint8Array(32).fill(4) },
                ]),
              }
            : extension,
        ),
      }),
    ],
    [
      'DTLS 1.2',
      (hello) => ({
        extensions: hello.extensions.filter(({ type }) => type !== ExtensionType.supportedVersions),
      }),
    ],
  ])('the server refuses a second ClientHello with %s', (_, change) => {
    const conversation = new Conversation(client, { ...auto, groups: ['secp256r1'] });
    conversation.until('server', 'await-retried-client-hello');
    const step = conversation.next('server', (message) => {
      const hello = decodeClientHello(message.body);
      if (isFailure(hello)) throw new Error(hello.reason);
      return { ...message, body: encodeClientHello({ ...hello, ...change(hello) }) };
    });
    expect(step?.problem?.code).toBe('illegal-parameter');
  });
});

describe('with records', () => {
  it('T111 SEC-22 a wrong fingerprint ends it before any data, on both sides', () => {
    const wrong = { ...only13, remoteFingerprints: [certificates.client.fingerprint] };
    const pair = new Pair({ client: wrong, server: only13 }).start().run();
    expect(pair.codes('client')).toEqual(['closed fingerprint-mismatch']);
    expect(pair.client.state).toBe('failed');
    expect(pair.server.state).toBe('failed');
  });

  it('SEC-11 T125 forged plaintext behind the ServerHello does not take the place of what is protected', () => {
    const pair = new Pair({ client: only13, server: only13 });
    pair.server.start(0);
    pair.client.start(0);
    // EncryptedExtensions, Certificate … of the attacker come first, in plaintext, with the numbers of the genuine ones.
    for (let seq = 1; seq <= 5; seq++) {
      for (const type of [8, 13, 11, 15, 20]) {
        const fragment = [type, 0, 0, 4, 0, seq, 0, 0, 0, 0, 0, 4, 1, 2, 3, 4];
        pair.client.handlePacket(
          Uint8Array.of(22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, seq, 0, fragment.length, ...fragment),
          0,
        );
      }
    }
    pair.run();
    expect([pair.connected, pair.codes('client')]).toEqual([true, []]);
  });

  it('both-active is found with DTLS 1.3 too', () => {
    const one = new Dtls({ ...engineOptions('client', 1), ...auto });
    const other = new Dtls({ ...engineOptions('client', 2), ...auto });
    one.start(0);
    other.start(0);
    one.handlePacket(other.pollTransmit() ?? new Uint8Array(), 1);
    expect(one.pollEvent()).toMatchObject({
      type: 'warning',
      failure: { code: 'role-conflict-both-active' },
    });
    other.handleTimeout(400);
    one.handlePacket(other.pollTransmit() ?? new Uint8Array(), 401);
    expect(one.pollEvent()).toMatchObject({ type: 'closed', failure: { code: 'role-conflict-both-active' } });
  });
});
