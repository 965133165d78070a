import { describe, expect, it } from 'vitest';
import { isFailure } from '../../src/core/decode.ts';
import type { Extension } from '../../src/dtls/messages/extensions.ts';
import { ExtensionType, encodeU16Vector, findExtension } from '../../src/dtls/messages/extensions.ts';
import { HandshakeType } from '../../src/dtls/messages/handshake.ts';
import type { HandshakeMessage } from '../../src/dtls/messages/handshake.ts';
import type { ClientHello, ServerHello } from '../../src/dtls/messages/hello.ts';
import {
  decodeClientHello,
  decodeServerHello,
  encodeClientHello,
  encodeServerHello,
} from '../../src/dtls/messages/hello.ts';
import type { Machine } from './machines.ts';
import { Conversation, machineOf } from './machines.ts';

const GREASE = 0x4a4a;

function ourClientHello(): ClientHello {
  const hello = decodeClientHello(machineOf('client').said[0]?.body ?? new Uint8Array());
  if (isFailure(hello)) throw new Error(hello.reason);
  return hello;
}

/** A server that has been handed our own ClientHello with some fields replaced. */
function serverAfter(change: Partial<ClientHello>): {
  server: Machine;
  code: string | undefined;
  answer: ServerHello;
} {
  const server = machineOf('server');
  const body = encodeClientHello({ ...ourClientHello(), ...change });
  const problem = server.machine.handle({ type: HandshakeType.clientHello, messageSeq: 0, body });
  const hello = decodeServerHello(server.said[0]?.body ?? new Uint8Array(38));
  if (isFailure(hello)) throw new Error(hello.reason);
  return { server, code: problem?.code, answer: hello };
}

function replaced(extensions: readonly Extension[], type: number, data?: Uint8Array): readonly Extension[] {
  const others = extensions.filter((extension) => extension.type !== type);
  return data === undefined ? others : [...others, { type, data }];
}

function withExtension(type: number, data?: Uint8Array): Partial<ClientHello> {
  return { extensions: replaced(ourClientHello().extensions, type, data) };
}

describe('ClientHello, as the server reads it', () => {
  it('T014 ignores unknown suites, groups, schemes, versions and extensions, in any order', () => {
    const { extensions, cipherSuites } = ourClientHello();
    const strange: Extension[] = [
      { type: GREASE, data: Uint8Array.of(1, 2, 3) },
      {
        type: ExtensionType.supportedGroups,
        data: encodeU16Vector([GREASE, 0x11ec, 0x001d, 0x0017, 0x0018]),
      },
      { type: ExtensionType.signatureAlgorithms, data: encodeU16Vector([GREASE, 0x0804, 0x0403]) },
      { type: ExtensionType.supportedVersions, data: Uint8Array.of(6, 0x4a, 0x4a, 0xfe, 0xfc, 0xfe, 0xfd) },
    ];
    const others = extensions.filter(({ type }) => strange.every((extension) => extension.type !== type));
    const { server, code } = serverAfter({
      cipherSuites: [GREASE, 0x1301, ...cipherSuites, 0x00ff],
      sessionId: new Uint8Array(32).fill(1),
      extensions: [...strange, ...others].reverse(),
    });
    expect(code).toBeUndefined();
    expect(server.machine.state).toBe('await-certificate');
    expect(server.handshake.group).toBe('x25519');
  });

  it('T014 answers a hello that offers DTLS 1.3 with 1.2', () => {
    const versions = Uint8Array.of(4, 0xfe, 0xfc, 0xfe, 0xfd);
    const { code, answer } = serverAfter(withExtension(ExtensionType.supportedVersions, versions));
    expect(code).toBeUndefined();
    expect(answer.version).toBe(0xfefd);
    expect(findExtension(answer.extensions, ExtensionType.supportedVersions)).toBeUndefined();
  });

  it('answers only extensions that were offered', () => {
    const extensions = ourClientHello().extensions.filter(
      ({ type }) => type !== ExtensionType.ecPointFormats && type !== ExtensionType.renegotiationInfo,
    );
    const { answer } = serverAfter({ extensions });
    expect(answer.extensions.map(({ type }) => type)).toEqual([ExtensionType.extendedMasterSecret]);
  });

  it('RFC 5746 §3.6 answers the signalling suite with renegotiation_info', () => {
    const { cipherSuites, extensions } = ourClientHello();
    const { answer } = serverAfter({
      cipherSuites: [...cipherSuites, 0x00ff],
      extensions: replaced(extensions, ExtensionType.renegotiationInfo),
    });
    expect(findExtension(answer.extensions, ExtensionType.renegotiationInfo)).toEqual(Uint8Array.of(0));
  });

  it.each([
    ['secp256r1 alone', encodeU16Vector([0x0017]), 'secp256r1'],
    ['secp256r1 first', encodeU16Vector([0x0017, 0x001d]), 'x25519'],
    ['no list', undefined, 'x25519'],
  ])('T004 chooses the group from %s', (_, groups, expected) => {
    const { server, code } = serverAfter(withExtension(ExtensionType.supportedGroups, groups));
    expect(code).toBeUndefined();
    expect(server.handshake.group).toBe(expected);
  });

  it.each<[string, Partial<ClientHello>, string]>([
    ['DTLS 1.0 alone', { version: 0xfeff }, 'version-unsupported'],
    ['TLS', { version: 0x0303 }, 'version-unsupported'],
    [
      'DTLS 1.3 alone',
      withExtension(ExtensionType.supportedVersions, Uint8Array.of(2, 0xfe, 0xfc)),
      'version-unsupported',
    ],
    ['no suite of ours', { cipherSuites: [0x1301, 0xc02f] }, 'no-common-cipher-suite'],
    ['compression alone', { compressionMethods: Uint8Array.of(1) }, 'no-common-compression'],
    [
      'no group of ours',
      withExtension(ExtensionType.supportedGroups, encodeU16Vector([0x0019])),
      'no-common-group',
    ],
    [
      'a broken group list',
      withExtension(ExtensionType.supportedGroups, Uint8Array.of(0, 9, 0)),
      'malformed-message',
    ],
    [
      'no scheme of ours',
      withExtension(ExtensionType.signatureAlgorithms, encodeU16Vector([0x0203])),
      'no-common-signature',
    ],
    ['no signature_algorithms', withExtension(ExtensionType.signatureAlgorithms), 'no-common-signature'],
    [
      'compressed points alone',
      withExtension(ExtensionType.ecPointFormats, Uint8Array.of(1, 1)),
      'illegal-parameter',
    ],
    [
      'an old renegotiation',
      withExtension(ExtensionType.renegotiationInfo, Uint8Array.of(1, 9)),
      'renegotiation-info-invalid',
    ],
    [
      'no extended master secret',
      withExtension(ExtensionType.extendedMasterSecret),
      'extended-master-secret-missing',
    ],
  ])('T012 T018 T019 refuses %s', (_, change, expected) => {
    const { server, code } = serverAfter(change);
    expect(code).toBe(expected);
    expect(server.machine.state).toBe('await-client-hello');
    expect(server.said).toEqual([]);
  });

  it('T016 refuses an extension that comes twice', () => {
    const { extensions } = ourClientHello();
    expect(serverAfter({ extensions: [...extensions, ...extensions.slice(0, 1)] }).code).toBe(
      'malformed-message',
    );
  });
});

describe('ServerHello, as the client reads it', () => {
  /** What the client makes of its server's hello with some fields replaced. */
  function codeAfter(change: (hello: ServerHello) => Partial<ServerHello>): string | undefined {
    const conversation = new Conversation();
    const step = conversation.next('client', (message: HandshakeMessage) => {
      const hello = decodeServerHello(message.body);
      if (isFailure(hello)) throw new Error(hello.reason);
      return { ...message, body: encodeServerHello({ ...hello, ...change(hello) }) };
    });
    return step?.problem?.code;
  }

  it('takes a session id and leaves out nothing it needs', () => {
    expect(codeAfter(() => ({ sessionId: new Uint8Array(32).fill(3) }))).toBeUndefined();
  });

  it('takes a server that knows neither renegotiation_info nor point formats', () => {
    const essential = (hello: ServerHello): Extension[] =>
      hello.extensions.filter(({ type }) => type === ExtensionType.extendedMasterSecret);
    expect(codeAfter((hello) => ({ extensions: essential(hello) }))).toBeUndefined();
  });

  it.each<[string, (hello: ServerHello) => Partial<ServerHello>, string]>([
    ['DTLS 1.0', () => ({ version: 0xfeff }), 'version-unsupported'],
    ['DTLS 1.3', () => ({ version: 0xfefc }), 'version-unsupported'],
    ['another suite', () => ({ cipherSuite: 0xc009 }), 'illegal-parameter'],
    ['compression', () => ({ compressionMethod: 1 }), 'illegal-parameter'],
    [
      'an extension nobody offered',
      ({ extensions }) => ({ extensions: [...extensions, { type: GREASE, data: new Uint8Array() }] }),
      'extension-unsolicited',
    ],
    [
      'no extended master secret',
      ({ extensions }) => ({ extensions: replaced(extensions, ExtensionType.extendedMasterSecret) }),
      'extended-master-secret-missing',
    ],
    [
      'an old renegotiation',
      ({ extensions }) => ({
        extensions: replaced(extensions, ExtensionType.renegotiationInfo, Uint8Array.of(2, 1, 1)),
      }),
      'renegotiation-info-invalid',
    ],
    [
      'compressed points alone',
      ({ extensions }) => ({
        extensions: replaced(extensions, ExtensionType.ecPointFormats, Uint8Array.of(1, 1)),
      }),
      'illegal-parameter',
    ],
  ])('T016 T018 T019 refuses %s', (_, change, expected) => {
    expect(codeAfter(change)).toBe(expected);
  });
});
