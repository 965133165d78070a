import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SdpCandidate } from '../../src/sdp/index.ts';
import {
  attributes,
  candidateInit,
  isSdpError,
  parseCandidate,
  parseCandidateInit,
  parseCandidateLine,
  parseSdp,
  writeCandidateLine,
} from '../../src/sdp/index.ts';
import { codeOf, recorded, recordedFiles, valid } from './recorded.ts';

const HOST = 'candidate:1 1 udp 2122260223 192.0.2.1 5000 typ host';

const recordedCandidates = recordedFiles.flatMap((name) =>
  valid(parseSdp(recorded(name))).media.flatMap(({ lines }) =>
    attributes(lines, 'candidate').map(({ value }) => value),
  ),
);

describe('candidate lines (RFC 8839 §5.1)', () => {
  test('Chromium, trickled: every field, and the extensions in order', () => {
    const line =
      'candidate:842163049 1 udp 1677729535 198.51.100.7 61734 typ srflx raddr 192.0.2.2 rport 54321 generation 0 ufrag kHDN network-id 3 network-cost 50';
    expect(parseCandidateLine(line)).toEqual({
      type: 'srflx',
      protocol: 'udp',
      address: '198.51.100.7',
      port: 61734,
      foundation: '842163049',
      component: 1,
      priority: 1677729535,
      relatedAddress: '192.0.2.2',
      relatedPort: 54321,
      usernameFragment: 'kHDN',
      extensions: [
        { name: 'generation', value: '0' },
        { name: 'network-id', value: '3' },
        { name: 'network-cost', value: '50' },
      ],
    });
  });

  test('Firefox: upper-case transport, TCP with its type (RFC 6544 §4.5), "a=" in front', () => {
    expect(parseCandidateLine('a=candidate:4 1 TCP 2105327871 127.0.0.1 9 typ host tcptype active')).toEqual({
      type: 'host',
      protocol: 'tcp',
      address: '127.0.0.1',
      port: 9,
      foundation: '4',
      component: 1,
      priority: 2105327871,
      tcpType: 'active',
    });
  });

  test('an mDNS name stays a name, an address takes its canonical form', () => {
    const name = '26d70a1b-1cd9-4e87-855e-b3c98bc47bc4.local';
    expect(parseCandidateLine(HOST.replace('192.0.2.1', name))).toMatchObject({ address: name });
    expect(parseCandidateLine(HOST.replace('192.0.2.1', '2001:DB8:0::1'))).toMatchObject({
      address: '2001:db8::1',
    });
  });

  test('every recorded candidate is written back word for word, but for the case of the transport', () => {
    expect(recordedCandidates.length).toBeGreaterThan(300);
    for (const value of recordedCandidates) {
      const written = writeCandidateLine(valid(parseCandidate(value)));
      expect(written).toBe(`candidate:${value.replace(' UDP ', ' udp ').replace(' TCP ', ' tcp ')}`);
    }
  });

  test.each([
    ['no prefix', '1 1 udp 1 192.0.2.1 5000 typ host', 'candidate-invalid'],
    ['nothing', 'candidate:', 'candidate-invalid'],
    ['a foundation of 33 characters', HOST.replace(':1', `:${'x'.repeat(33)}`), 'candidate-invalid'],
    ['component 0', HOST.replace(' 1 udp', ' 0 udp'), 'candidate-invalid'],
    ['another transport', HOST.replace('udp', 'ssltcp'), 'candidate-unsupported'],
    ['a priority of 33 bits', HOST.replace('2122260223', '4294967296'), 'candidate-invalid'],
    ['a port above 65535', HOST.replace('5000', '65536'), 'candidate-invalid'],
    ['UDP port 0', HOST.replace('5000', '0'), 'candidate-invalid'],
    ['no type', HOST.replace(' typ host', ''), 'candidate-invalid'],
    ['another type', HOST.replace('host', 'psychic'), 'candidate-unsupported'],
    ['an extension without a value', `${HOST} generation`, 'candidate-invalid'],
    ['two spaces', `${HOST}  generation 0`, 'candidate-invalid'],
    ['another tcptype', `${HOST} tcptype sometimes`, 'candidate-unsupported'],
    ['a related port that is none', `${HOST} raddr 192.0.2.2 rport x`, 'candidate-invalid'],
    ['a ufrag of one character', `${HOST} ufrag x`, 'candidate-unsupported'],
    ['more than 1024 characters', `${HOST}${' generation 0'.repeat(100)}`, 'candidate-invalid'],
  ])('%s: refused', (_, line, code) => {
    expect(codeOf(parseCandidateLine(line))).toBe(code);
  });

  test('words that are not one word are not written', () => {
    const candidate = { ...valid(parseCandidateLine(HOST)), foundation: '1 1 udp\r\na=x' };
    expect(() => writeCandidateLine(candidate)).toThrow(
      expect.objectContaining({ code: 'ERR_BAD_ARGUMENT' }),
    );
  });
});

describe('candidates as others write them', () => {
  test('C6: without a foundation', () => {
    const line = 'candidate: 1 udp 2113937151 192.0.2.1 5000 typ host generation 0';
    expect(parseCandidateLine(line)).toMatchObject({ foundation: '0', component: 1, address: '192.0.2.1' });
    expect(codeOf(parseCandidateLine(line, true))).toBe('candidate-invalid');
    expect(writeCandidateLine(valid(parseCandidateLine(line)))).toContain('candidate:0 1 udp');
  });

  test.each(['a-b_c', 'c2Fu=', 'ab#d'])('C3: of a generation named %s', (ufrag) => {
    expect(parseCandidateLine(`${HOST} ufrag ${ufrag}`)).toMatchObject({ usernameFragment: ufrag });
    expect(parseCandidateInit({ candidate: HOST, usernameFragment: ufrag })).toMatchObject({
      usernameFragment: ufrag,
    });
    expect(codeOf(parseCandidateLine(`${HOST} ufrag ${ufrag}`, true))).toBe('candidate-unsupported');
  });

  test.each([
    ['a transport of a proxy', HOST.replace('udp', 'ssltcp')],
    ['an unknown type', HOST.replace('host', 'local')],
    ['an unknown tcptype', `${HOST.replace('udp', 'tcp')} tcptype both`],
    ['a zone, which means something there alone', HOST.replace('192.0.2.1', 'fe80::1%eth0')],
    ['nobody’s username fragment', `${HOST} ufrag x`],
  ])('C6, C13: of no use: %s', (_, line) => {
    expect(codeOf(parseCandidateLine(line))).toBe('candidate-unsupported');
  });
});

describe('trickled candidates (W3C RTCIceCandidateInit)', () => {
  test('an empty candidate ends them', () => {
    expect(parseCandidateInit({ candidate: '', sdpMid: '0' })).toBe('end-of-candidates');
  });

  test('the dictionary supplies a generation the line does not name', () => {
    expect(parseCandidateInit({ candidate: HOST, usernameFragment: 'abcd' })).toMatchObject({
      usernameFragment: 'abcd',
    });
    expect(parseCandidateInit({ candidate: `${HOST} ufrag wxyz`, usernameFragment: 'abcd' })).toMatchObject({
      usernameFragment: 'wxyz',
    });
    expect(codeOf(parseCandidateInit({ candidate: HOST, usernameFragment: 'no spaces' }))).toBe(
      'candidate-unsupported',
    );
  });

  test('what we send reads back', () => {
    const candidate = valid(parseCandidateLine(`${HOST} generation 0 ufrag abcd`));
    const init = candidateInit(candidate, '0', 0);
    expect(init).toEqual({
      candidate: `${HOST} generation 0 ufrag abcd`,
      sdpMid: '0',
      sdpMLineIndex: 0,
      usernameFragment: 'abcd',
    });
    expect(parseCandidateInit(init)).toEqual(candidate);
  });
});

describe('whatever comes', () => {
  const word = fc.stringMatching(/^[!-~]{1,12}$/);
  const ice = fc.stringMatching(/^[A-Za-z0-9+/]{4,12}$/);
  const candidate: fc.Arbitrary<SdpCandidate> = fc.record(
    {
      type: fc.constantFrom('host', 'srflx', 'prflx', 'relay'),
      protocol: fc.constantFrom('udp', 'tcp'),
      address: fc.oneof(fc.ipV4(), fc.constantFrom('2001:db8::1', 'host.local')),
      port: fc.integer({ min: 1, max: 65_535 }),
      foundation: word,
      component: fc.integer({ min: 1, max: 256 }),
      priority: fc.nat(0xffff_ffff),
      relatedAddress: fc.ipV4(),
      relatedPort: fc.nat(65_535),
      tcpType: fc.constantFrom('active', 'passive', 'so'),
      usernameFragment: ice,
      extensions: fc.array(fc.record({ name: word.map((text) => `x-${text}`), value: word }), {
        minLength: 1,
      }),
    },
    { requiredKeys: ['type', 'protocol', 'address', 'port', 'foundation', 'component', 'priority'] },
  );

  test('written and read is the same', () => {
    fc.assert(
      fc.property(candidate, (given) => {
        expect(parseCandidateLine(writeCandidateLine(given))).toEqual(given);
      }),
    );
  });

  test('mutated lines read or fail', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...recordedCandidates),
        fc.nat(150),
        fc.nat(3),
        fc.string({ maxLength: 6 }),
        (value, at, cut, text) => {
          const result = parseCandidate(value.slice(0, at) + text + value.slice(at + cut));
          if (!isSdpError(result))
            expect(isSdpError(parseCandidateLine(writeCandidateLine(result)))).toBe(false);
        },
      ),
    );
  });
});
