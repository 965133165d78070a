/** Extensions, versions and compression: what each message may have, and the alert for what it may not. */
import { describe, expect, it } from 'vitest';
import { Writer, concatBytes } from '../../src/core/bytes.ts';
import { isFailure } from '../../src/core/decode.ts';
import { AlertDescription } from '../../src/dtls/alerts.ts';
import type { DtlsRole } from '../../src/dtls/index.ts';
import { encodeCertificateRequest } from '../../src/dtls/messages/certificates.ts';
import type { Extension } from '../../src/dtls/messages/extensions.ts';
import {
  ExtensionType,
  encodeU16,
  encodeU16Vector,
  writeExtensions,
} from '../../src/dtls/messages/extensions.ts';
import type { HandshakeMessage } from '../../src/dtls/messages/handshake.ts';
import { HandshakeType } from '../../src/dtls/messages/handshake.ts';
import type { ClientHello, ServerHello } from '../../src/dtls/messages/hello.ts';
import {
  RETRY_REQUEST_RANDOM,
  decodeClientHello,
  decodeServerHello,
  encodeClientHello,
  encodeHelloVerifyRequest,
  encodeServerHello,
} from '../../src/dtls/messages/hello.ts';
import { ROLES } from './hostile.ts';
import type { MachineOptions, Step } from './machines.ts';
import { Conversation, machineOf } from './machines.ts';
import { Pair } from './pair.ts';

const ONLY_12: MachineOptions = { versions: { min: '1.2', max: '1.2' } };
const ONLY_13: MachineOptions = { versions: { min: '1.3', max: '1.3' } };
const BOTH: MachineOptions = { versions: { min: '1.2', max: '1.3' } };
const STRANGE: Extension = { type: 99, data: new Uint8Array() };
const { illegalParameter, unsupportedExtension, missingExtension, decodeError, protocolVersion } =
  AlertDescription;

/** Hands `role` the message it waits for in `state`, changed. */
function changed(
  options: MachineOptions,
  role: DtlsRole,
  state: string,
  change: (message: HandshakeMessage) => Uint8Array,
): Step | undefined {
  const conversation = new Conversation(options, options);
  expect(conversation.until(role, state)).toBeUndefined();
  return conversation.next(role, (message) => ({ ...message, body: change(message) }));
}

function serverHello(
  options: MachineOptions,
  change: (hello: ServerHello) => Partial<ServerHello>,
): Step | undefined {
  return changed(options, 'client', 'await-server-hello', ({ body }) => {
    const hello = decodeServerHello(body);
    if (isFailure(hello)) throw new Error(hello.reason);
    return encodeServerHello({ ...hello, ...change(hello) });
  });
}

function clientHello(
  options: MachineOptions,
  change: (hello: ClientHello) => Partial<ClientHello>,
): Step | undefined {
  return changed(options, 'server', 'await-client-hello', ({ body }) => {
    const hello = decodeClientHello(body);
    if (isFailure(hello)) throw new Error(hello.reason);
    return encodeClientHello({ ...hello, ...change(hello) });
  });
}

const adding =
  (type: number, data: Uint8Array = new Uint8Array()) =>
  ({ extensions }: { readonly extensions: readonly Extension[] }): { extensions: readonly Extension[] } => ({
    extensions: [...extensions.filter((other) => other.type !== type), { type, data }],
  });

const listOf = (extensions: readonly Extension[]): Uint8Array => {
  const writer = new Writer();
  writeExtensions(writer, extensions);
  return writer.finish();
};

describe('D7: an extension that nobody has asked for is unsupported_extension', () => {
  it.each(ROLES)('D7: in the Certificate that comes to the %s', (role) => {
    const step = changed(ONLY_13, role, 'await-certificate', ({ body }) => {
      // context 1 │ list 3 │ DER 3 … │ extensions 2: the last two bytes are the empty list.
      const whole = concatBytes(body.subarray(0, -2), listOf([{ type: 5, data: new Uint8Array() }]));
      whole[3]! += 4;
      return whole;
    });
    expect(step?.problem).toMatchObject({ code: 'extension-unsolicited', alert: unsupportedExtension });
  });

  it.each([
    ['ServerHello, DTLS 1.2', ONLY_12],
    ['ServerHello, DTLS 1.3', ONLY_13],
  ])('D7: in %s', (_, options) => {
    const step = serverHello(options, adding(99));
    expect(step?.problem).toMatchObject({ code: 'extension-unsolicited', alert: unsupportedExtension });
  });

  it('D7: in HelloRetryRequest', () => {
    const step = serverHello(ONLY_13, ({ extensions }) => ({
      random: RETRY_REQUEST_RANDOM,
      extensions: [
        ...extensions.filter(({ type }) => type === ExtensionType.supportedVersions),
        { type: ExtensionType.keyShare, data: encodeU16(0x17) },
        STRANGE,
      ],
    }));
    expect(step?.problem).toMatchObject({ code: 'extension-unsolicited', alert: unsupportedExtension });
  });

  it.each([99, ExtensionType.useSrtp])('D7: in EncryptedExtensions, type %i', (type) => {
    const step = changed(ONLY_13, 'client', 'await-encrypted-extensions', () =>
      listOf([{ type, data: new Uint8Array() }]),
    );
    expect(step?.problem).toMatchObject({ code: 'extension-unsolicited' });
  });

  it.each<[string, () => Step | undefined]>([
    [
      'ServerHello, DTLS 1.2: key_share',
      () =>
        serverHello(BOTH, ({ extensions, random }) => ({
          random: new Uint8Array(random),
          cipherSuite: 0xc02b,
          extensions: [...extensions.filter(({ type }) => type === ExtensionType.keyShare)],
        })),
    ],
    ['ServerHello, DTLS 1.2: signature_algorithms', () => serverHello(ONLY_12, adding(13))],
    ['ServerHello, DTLS 1.3: supported_groups', () => serverHello(ONLY_13, adding(10))],
    [
      'EncryptedExtensions: key_share',
      () =>
        changed(ONLY_13, 'client', 'await-encrypted-extensions', () =>
          listOf([{ type: 51, data: new Uint8Array() }]),
        ),
    ],
    [
      'CertificateRequest: supported_groups',
      () =>
        changed(ONLY_13, 'client', 'await-certificate-request', () =>
          concatBytes(
            Uint8Array.of(0),
            listOf([
              { type: 13, data: encodeU16Vector([0x0403]) },
              { type: 10, data: new Uint8Array() },
            ]),
          ),
        ),
    ],
  ])(
    'D7: one that was asked for, in the wrong message, is illegal_parameter (RFC 8446 §4.2): %s',
    (_, run) => {
      expect(run()?.problem).toMatchObject({ code: 'extension-unsolicited', alert: illegalParameter });
    },
  );

  it('D7: a CertificateRequest may have what nobody knows (§4.3.2), and must have signature_algorithms', () => {
    const request = (extensions: readonly Extension[]): Step | undefined =>
      changed(ONLY_13, 'client', 'await-certificate-request', () =>
        concatBytes(Uint8Array.of(0), listOf(extensions)),
      );
    expect(request([STRANGE, { type: 13, data: encodeU16Vector([0x0403]) }])?.problem).toBeUndefined();
    expect(request([STRANGE])?.problem).toMatchObject({ code: 'extension-missing', alert: missingExtension });
  });

  it('D7: an extended_master_secret with content does not decode', () => {
    const extension = adding(ExtensionType.extendedMasterSecret, Uint8Array.of(1));
    expect(serverHello(ONLY_12, extension)?.problem).toMatchObject({ alert: decodeError });
    expect(clientHello(ONLY_12, extension)?.problem).toMatchObject({ alert: decodeError });
  });
});

describe('D8 D9: versions', () => {
  const verify = (seq = 0): HandshakeMessage => ({
    type: HandshakeType.helloVerifyRequest,
    messageSeq: seq,
    body: encodeHelloVerifyRequest({ version: 0xfeff, cookie: Uint8Array.of(1, 2, 3) }),
  });

  it.each([
    ['a ServerHello', false],
    ['a HelloRetryRequest', true],
  ])('D8: HelloVerifyRequest and then %s of DTLS 1.3 is illegal_parameter', (_, isRetry) => {
    const conversation = new Conversation(BOTH, BOTH);
    expect(conversation.client.machine.handle(verify())).toBeUndefined();
    const step = conversation.next('client', (message) => {
      const hello = decodeServerHello(message.body);
      if (isFailure(hello)) throw new Error(hello.reason);
      const keyShare = { type: ExtensionType.keyShare, data: encodeU16(0x17) };
      const [versions] = hello.extensions.filter(({ type }) => type === ExtensionType.supportedVersions);
      if (versions === undefined) throw new Error('no supported_versions');
      return isRetry
        ? {
            ...message,
            body: encodeServerHello({
              ...hello,
              random: RETRY_REQUEST_RANDOM,
              extensions: [versions, keyShare],
            }),
          }
        : message;
    });
    expect(step?.problem).toMatchObject({ code: 'illegal-parameter', alert: illegalParameter });
  });

  it('D8: HelloVerifyRequest and then a ServerHello of DTLS 1.2 is welcome', () => {
    const { machine } = machineOf('client', BOTH);
    expect(machine.handle(verify())).toBeUndefined();
    const server = machineOf('server', ONLY_12);
    const hello = machineOf('client', ONLY_12).said[0];
    if (hello === undefined) throw new Error('no hello');
    expect(server.machine.handle(hello)).toBeUndefined();
    const answer = server.said[0];
    expect(answer && machine.handle(answer)).toBeUndefined();
  });

  it('D8: a selected_version that was not offered, or is older, is illegal_parameter', () => {
    for (const version of [0xfefd, 0xfeff, 0xfefb]) {
      const step = serverHello(ONLY_13, adding(ExtensionType.supportedVersions, encodeU16(version)));
      expect(step?.problem).toMatchObject({ code: 'version-unsupported', alert: illegalParameter });
    }
  });

  it.each([
    ['is empty', []],
    ['has another method alone', [1]],
    ['has another method beside it', [0, 1]],
    ['has it twice', [0, 0]],
  ])('D9: a hello of DTLS 1.3 whose compression list %s is illegal_parameter', (_, methods) => {
    for (const options of [ONLY_13, BOTH]) {
      const step = clientHello(options, () => ({ compressionMethods: Uint8Array.from(methods) }));
      expect(step?.problem).toMatchObject({ code: 'illegal-parameter', alert: illegalParameter });
    }
  });

  it('D9: a client of DTLS 1.3 alone says that the versions differ: to a HelloVerifyRequest', () => {
    const problem = machineOf('client', ONLY_13).machine.handle(verify());
    expect(problem).toMatchObject({ code: 'version-unsupported', alert: protocolVersion });
  });

  it('D9: … to a ServerHello of DTLS 1.2', () => {
    const step = serverHello(ONLY_13, () => ({ extensions: [], cipherSuite: 0xc02b }));
    expect(step?.problem).toMatchObject({ code: 'version-unsupported', alert: protocolVersion });
  });

  it('D9: … to a server of DTLS 1.2 that answers with protocol_version', () => {
    const pair = new Pair({ client: { versions: { min: '1.3', max: '1.3' } } }).start().run();
    expect([pair.codes('client'), pair.codes('server')]).toEqual([
      ['closed version-unsupported'],
      ['closed version-unsupported'],
    ]);
  });

  it.each<[string, (hello: ClientHello) => Partial<ClientHello>, number, string]>([
    [
      'no signature_algorithms',
      ({ extensions }) => ({ extensions: extensions.filter(({ type }) => type !== 13) }),
      missingExtension,
      'extension-missing',
    ],
    ['signature_algorithms cut short', adding(13, Uint8Array.of(0, 4, 4)), decodeError, 'malformed-message'],
    ['supported_versions cut short', adding(43, Uint8Array.of(4, 0xfe)), decodeError, 'malformed-message'],
    [
      'pre_shared_key that is not the last',
      ({ extensions }) => ({ extensions: [{ type: 41, data: new Uint8Array() }, ...extensions] }),
      illegalParameter,
      'illegal-parameter',
    ],
    ['pre_shared_key without psk_key_exchange_modes', adding(41), missingExtension, 'extension-missing'],
  ])('D9: a hello of DTLS 1.3 with %s', (_, change, alert, code) => {
    expect(clientHello(ONLY_13, change)?.problem).toMatchObject({ code, alert });
  });
});

describe('C7: a server that does not ask for our certificate', () => {
  it.each([
    ['1.2', ONLY_12, [HandshakeType.clientKeyExchange, HandshakeType.finished], 'await-finished'],
    ['1.3', ONLY_13, [HandshakeType.finished], 'complete'],
  ] as const)('C7: DTLS %s: is not shown it, and is connected to', (_, options, answer, state) => {
    const conversation = new Conversation(options, options);
    const { handshake } = conversation.server;
    const say = handshake.say.bind(handshake);
    handshake.say = (type, ...rest): void => {
      if (type !== HandshakeType.certificateRequest) say(type, ...rest);
    };
    conversation.until('client', state);
    const { machine, said } = conversation.client;
    expect(said.slice(1).map(({ type }) => type)).toEqual(answer);
    expect(machine.state).toBe(state);
    expect(conversation.client.handshake.peer.verified).toBe(true);
  });

  it('C7: one that asks for kinds of certificates that we do not have is refused as before', () => {
    const step = changed(ONLY_12, 'client', 'await-certificate-request', () =>
      encodeCertificateRequest({ certificateTypes: Uint8Array.of(1), signatureSchemes: [0x0401] }),
    );
    expect(step?.problem?.code).toBe('no-common-signature');
  });
});
