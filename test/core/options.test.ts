import { describe, expect, it } from 'vitest';
import { importPem } from '../../src/certificate.ts';
import { DataChannels } from '../../src/channel/index.ts';
import { checkSendOptions } from '../../src/channel/options.ts';
import { RtcError } from '../../src/core/errors.ts';
import type { OptionRules } from '../../src/core/options.ts';
import {
  checkOptions,
  flag,
  integer,
  listOf,
  nested,
  number,
  oneOf,
  required,
  wait,
  withDefaults,
  without,
} from '../../src/core/options.ts';
import { SeededRandom } from '../../src/core/random.ts';
import { jsCrypto } from '../../src/crypto/index.ts';
import { DTLS_OPTION_RULES, Dtls, selfSignedCertificate } from '../../src/dtls/index.ts';
import { Endpoint } from '../../src/endpoint.ts';
import { ICE_OPTION_RULES, IceAgent } from '../../src/ice/index.ts';
import { createNegotiation } from '../../src/negotiation/index.ts';
import { RTC_OPTION_RULES, Rtc } from '../../src/rtc.ts';
import { parseSdp } from '../../src/sdp/index.ts';
import { SCTP_OPTION_RULES, SctpAssociation } from '../../src/sctp/index.ts';
import { Network, cutAnywhere } from '../../src/sim/index.ts';
import { ladderSvg, pcapng, recordRtc, redactTrace, replay, traceHeader } from '../../src/trace/index.ts';
import { FakePort } from '../channel/fake-port.ts';

const crypto = jsCrypto();
const random = new SeededRandom(1);
const certificate = selfSignedCertificate({ random, crypto });

/** What nothing takes, whatever the option. */
const GARBAGE: readonly unknown[] = [null, Symbol('garbage'), NaN, -1, [null], 10n];

/** Whoever takes an options object: how to call it, and every key there is. */
interface Taker {
  readonly name: string;
  readonly call: (options: object) => unknown;
  /** Without which it cannot be called at all. */
  readonly needed?: object;
  readonly keys: readonly string[];
  /** Keys of objects inside: `gates.sctpConnect`. */
  readonly inner?: Readonly<Record<string, readonly string[]>>;
}

const gates = {
  sctp: 'sctpConnect dataProgress zeroWindow streamReset peerLiveness reassembly readerStalled shutdown',
  channel: 'openAck inboundOpen closeDrain streamReset reassembly',
};
const words = (text: string): readonly string[] => text.split(' ');
const net = (): Network => new Network({ seed: 1 });
const trace = { header: traceHeader(1), entries: [] };

const TAKERS: readonly Taker[] = [
  {
    name: 'Rtc',
    call: (options) => new Rtc(options as never),
    needed: { certificate },
    keys: Object.keys(RTC_OPTION_RULES),
    inner: {
      ice: Object.keys(ICE_OPTION_RULES).filter((key) => !/^(crypto|random|clock|role|lite)$/.test(key)),
      dtls: words(
        'handshakeTimeout retransmitTimeout versions groups cipherSuites srtpProfiles dangerouslyAcceptAnyFingerprint',
      ),
      sctp: Object.keys(SCTP_OPTION_RULES).filter(
        (key) => !/^(clock|random|maxMessageSize|mtu|pathMtu|.*Port|remoteMax.*)$/.test(key),
      ),
      channels: words('gates limits tolerateParity'),
      pathMtu: words('max min probeAfter'),
    },
  },
  {
    name: 'IceAgent',
    call: (options) => new IceAgent(options as never),
    needed: { crypto, random, role: 'controlled' },
    keys: Object.keys(ICE_OPTION_RULES),
  },
  {
    name: 'Dtls',
    call: (options) => new Dtls(options as never),
    needed: { crypto, random, certificate, role: 'client' },
    keys: Object.keys(DTLS_OPTION_RULES),
    inner: {
      versions: ['min', 'max'],
      limits: words('messageLength receiveQueue earlyRecords'),
      setups: ['local'],
    },
  },
  {
    name: 'SctpAssociation',
    call: (options) => new SctpAssociation(options as never),
    needed: { random },
    keys: Object.keys(SCTP_OPTION_RULES),
    inner: { gates: words(gates.sctp), pathMtu: words('max min overhead probeAfter') },
  },
  {
    name: 'DataChannels',
    call: (options) => new DataChannels(new FakePort(), options),
    keys: words('gates limits tolerateParity onActivity connection'),
    inner: {
      gates: words(gates.channel),
      limits: words('maxChannels maxRefusedStreams maxLabelLength maxProtocolLength maxMessageSize'),
    },
  },
  {
    name: 'createChannel',
    call: (options) => new Rtc({ certificate }).createChannel('chat', options),
    keys: words('ordered maxRetransmits maxPacketLifeTime protocol priority negotiated id'),
  },
  {
    name: 'send',
    call: (options) => checkSendOptions(options),
    keys: words('maxPacketLifeTime maxRetransmits priority id'),
  },
  {
    name: 'parseSdp',
    call: (options) => parseSdp('v=0', options),
    keys: words(
      'maxLength maxLines maxLineLength maxMediaSections maxSessionLines maxSectionLines maxPayloadTypes maxSources maxRids maxCandidates maxFingerprints',
    ),
  },
  {
    name: 'createNegotiation',
    call: (options) => createNegotiation(options as never),
    needed: { sessionId: '1' },
    keys: words('sessionId dtlsSetup strict limits'),
    inner: { limits: words('maxLength maxLines') },
  },
  {
    name: 'cutAnywhere',
    call: (options) => {
      // Of a scenario that has no ends, so that nothing is run.
      const scenario = { name: 'none', build: () => ({ net: net(), ends: [], isDone: () => true }) };
      const refused = refusal(() => cutAnywhere(scenario, options as never));
      if (!refused.includes('"ends"')) throw badArgumentOf(refused);
    },
    needed: { seed: 1, outcome: () => undefined },
    keys: words('seed outcome faults limit sample only'),
  },
  {
    name: 'importPem',
    call: (options) => {
      const refused = refusal(() => importPem('', options));
      if (!refused.includes('CERTIFICATE')) throw badArgumentOf(refused);
    },
    keys: ['crypto'],
  },
  {
    name: 'Endpoint',
    call: (options) => new Endpoint(options),
    keys: words(
      'maxConnections maxRoutesPerConnection onUnknown maxUnknownPerSecond idleTimerSlack takeoverSilence onSharedPath maxBufferedBytes',
    ),
  },
  {
    name: 'selfSignedCertificate',
    call: (options) => selfSignedCertificate(options),
    keys: words('random crypto curve scalar commonName notBefore notAfter'),
  },
  {
    name: 'trace',
    call: (options) => {
      new Rtc({ certificate }).setTrace(() => undefined, options);
    },
    keys: words('secrets hideAddresses hidePayload'),
  },
  {
    name: 'trace',
    call: (options) => redactTrace(trace, options),
    keys: words('secrets hideAddresses hidePayload'),
  },
  { name: 'recordRtc', call: (options) => recordRtc(options), keys: words('crypto seed maxEntries mtu ice') },
  { name: 'replay', call: (options) => replay(trace, options), keys: ['crypto'] },
  {
    name: 'ladderSvg',
    call: (options) => ladderSvg(trace, options),
    keys: words('left right title maxArrows'),
  },
  { name: 'pcapng', call: (options) => pcapng(trace, options), keys: ['epoch'] },
  {
    name: 'Network',
    call: (options) => new Network(options as never),
    needed: { seed: 1 },
    keys: words('seed start defaults record invariants scribble stepsPerInstant outputsPerDrain'),
    inner: { record: words('datagrams bytes events'), defaults: ['loss', 'rate', 'burst'] },
  },
  {
    name: 'host',
    call: (options) => net().host('192.0.2.1', options),
    keys: words('name behind receiveBuffer'),
  },
  {
    name: 'nat',
    call: (options) => net().nat('192.0.2.9', options),
    keys: words('name mapping filtering hairpin timeout refreshInbound ports behind'),
  },
  { name: 'run', call: (options) => net().run(options), keys: words('until limit') },
  {
    name: 'link',
    call: (options) => {
      const network = net();
      network.link(network.host('192.0.2.1'), network.host('192.0.2.2'), options);
    },
    keys: words(
      'latency jitter loss burst reorder reorderDelay duplicate duplicateDelay corrupt rate queueLimit mtu',
    ),
  },
  {
    name: 'attach',
    call: (options) => net().host('192.0.2.1').attach(new Rtc({ certificate }), options),
    keys: words('name port onEvent invariant closedEvent'),
  },
];

function badArgumentOf(message: string): RtcError {
  return new RtcError('ERR_BAD_ARGUMENT', message);
}

function refusal(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    const codes: readonly string[] = ['ERR_BAD_ARGUMENT', 'ERR_CERTIFICATE'];
    if (error instanceof RtcError && codes.includes(error.code)) return error.message;
    throw error;
  }
  return 'taken';
}

describe.each(TAKERS.map((taker) => [taker.name, taker] as const))('%s', (name, taker) => {
  const call = (options: object): string => refusal(() => taker.call({ ...taker.needed, ...options }));

  it('E5: takes an object alone', () => {
    for (const options of [null, 5, 'options', [], true]) {
      // Of `null` a default parameter makes nothing.
      expect(refusal(() => taker.call(options as never))).toContain(
        `"${name}" expected an object of options`,
      );
    }
  });

  it('A3: refuses an unknown key by its name', () => {
    expect(call({ iceServerz: [] })).toContain(`"${name}" has no option "iceServerz"`);
    for (const key of Object.keys(taker.inner ?? {})) {
      expect(call({ [key]: { nonsense: 1 } })).toContain(`"${key}" has no option "nonsense"`);
    }
  });

  it('E5: refuses values that cannot be, of every option', () => {
    for (const key of taker.keys) {
      expect(call({ [key]: Symbol('garbage') }), key).toContain(`"${key}" expected `);
      // Taken or refused, never another error, and never one that comes later.
      for (const value of GARBAGE) call({ [key]: value });
    }
    for (const [outer, keys] of Object.entries(taker.inner ?? {})) {
      for (const key of keys) {
        expect(call({ [outer]: { [key]: Symbol('garbage') } })).toContain(`"${outer}.${key}" expected `);
      }
    }
  });

  it('E5: an option that is undefined has its default', () => {
    const needed = Object.keys(taker.needed ?? {});
    for (const key of taker.keys) if (!needed.includes(key)) expect(call({ [key]: undefined })).toBe('taken');
  });
});

it('E5: what cannot be is said in a sentence that helps, by the constructor', () => {
  const rtc = (options: object): string => refusal(() => new Rtc({ certificate, ...options }));
  expect(rtc({ sctp: { congestionControl: 'bbr' } })).toBe(
    '"sctp" has no option "congestionControl"; did you mean "congestion"?',
  );
  expect(rtc({ dtls: { groups: ['x448'] } })).toBe(
    '"dtls.groups[0]" expected "x25519mlkem768", "x25519", "secp256r1", "secp384r1", got "x448"',
  );
  expect(rtc({ dtls: { versions: { min: '1.4' } } })).toBe(
    '"dtls.versions.min" expected "1.2", "1.3", got "1.4"',
  );
  expect(rtc({ dtls: { versions: { min: '1.3', max: '1.2' } } })).toContain('min not above max');
  expect(rtc({ dtls: { cipherSuites: ['TLS_AES_256_GCM_SHA384'] } })).toContain('"cipherSuites" expected');
  expect(rtc({ setup: 'actpas' })).toBe('"setup" expected "auto", "active", "passive", got "actpas"');
  expect(rtc({ certificate: undefined })).toContain(
    '"certificate" expected a certificate, of selfSignedCertificate()',
  );
  expect(rtc({ iceServers: [] })).toContain('"Rtc" has no option "iceServers": an Rtc has no sockets');
  expect(rtc({ announcedAddress: '192.0.2.1' })).toContain('addLocalCandidate');
  expect(rtc({ strictsdp: true })).toContain('did you mean "strictSdp"?');
  expect(rtc({ crypto: {} })).toContain('"crypto" expected a CryptoProvider');
  expect(rtc({ random: () => 4 })).toContain('"random" expected a RandomSource with fill()');
  for (const mtu of [NaN, -1, Infinity, 1200.5, '1200']) expect(rtc({ mtu })).toContain('"mtu" expected');
  expect(rtc({ ice: { password: 'secret' } })).toBe(
    '"ice.password" expected 22 to 256 ice-chars, got "6 characters"',
  );
  expect(rtc({ ice: { usernameFragment: 12_345 } })).toContain('"ice.usernameFragment" expected');
});

describe('rules', () => {
  interface Options {
    readonly count?: number | undefined;
    readonly on?: boolean | undefined;
  }
  const rules: OptionRules<Options> = { count: integer(1, 9), on: flag };

  it('judges what a class gives by its getters', () => {
    class Configuration {
      get count(): number {
        return 10;
      }
    }
    expect(refusal(() => checkOptions('f', new Configuration(), rules))).toBe(
      '"count" expected an integer from 1 to 9, got 10',
    );
  });

  it('A10: names of every object are unknown like any other', () => {
    for (const key of ['constructor', 'toString', 'hasOwnProperty']) {
      expect(refusal(() => checkOptions('f', { [key]: 1 }, rules))).toContain(`"f" has no option "${key}"`);
    }
    expect(refusal(() => checkOptions('f', JSON.parse('{"__proto__": 1}'), rules))).toContain('"__proto__"');
  });

  it('suggests what is near, and nothing where nothing is', () => {
    const said = (key: string): string => refusal(() => checkOptions('f', { [key]: 1 }, rules));
    expect(said('counts')).toContain('did you mean "count"?');
    expect(said('Count')).toContain('did you mean "count"?');
    expect(said('zebra')).toBe('"f" has no option "zebra"');
    expect(said('z'.repeat(500)).length).toBeLessThan(100);
  });

  it('has ranges with and without an end', () => {
    const judged = (rule: (value: unknown, name: string) => void, value: unknown): string =>
      refusal(() => {
        rule(value, 'n');
      });
    expect(judged(number(0), Infinity)).toContain('a number from 0 up');
    expect(judged(number(0, Infinity), Infinity)).toBe('taken');
    expect(judged(wait, Infinity)).toBe('taken');
    expect(judged(wait, 0)).toContain('above 0');
    expect(judged(listOf(oneOf(['a']), 1), [])).toContain('at least 1');
    expect(judged(nested(rules), { count: 0 })).toContain('"n.count"');
    expect(judged(required(flag), undefined)).toContain('true or false');
  });

  it('leaves out what an owner decides itself, and fills in defaults', () => {
    expect(refusal(() => checkOptions('f', { on: true }, without(rules, 'on')))).toContain('no option "on"');
    expect(withDefaults({ count: 1, on: true }, { count: undefined, on: false })).toEqual({
      count: 1,
      on: false,
    });
  });
});
