/** W3C's RTCIceServer, judged at the call. */
import { describe, expect, it } from 'vitest';
import type { IceServer } from '../../src/gather/ice-server.ts';
import { readIceServers } from '../../src/gather/ice-server.ts';

const CREDENTIALS = { username: 'ann', credential: 'secret' };

function read(urls: string | readonly string[], more: object = CREDENTIALS): object[] {
  return readIceServers([{ urls, ...more }], 100).map(({ kind, transport, host, port }) => ({
    kind,
    transport,
    host,
    port,
  }));
}

describe('URLs of RFC 7064 and RFC 7065', () => {
  it.each([
    ['stun:example.org', 'stun', 'udp', 'example.org', 3478],
    ['STUN:Example.ORG:1', 'stun', 'udp', 'example.org', 1],
    ['stun:192.0.2.1:65535', 'stun', 'udp', '192.0.2.1', 65_535],
    ['stun:[2001:DB8:0::1]', 'stun', 'udp', '2001:db8::1', 3478],
    ['turn:example.org', 'turn', 'udp', 'example.org', 3478],
    ['turn:example.org?transport=udp', 'turn', 'udp', 'example.org', 3478],
    ['turn:example.org:80?transport=tcp', 'turn', 'tcp', 'example.org', 80],
    ['turn:example.org?transport=TCP', 'turn', 'tcp', 'example.org', 3478],
    ['turns:example.org', 'turn', 'tls', 'example.org', 5349],
    ['turns:[2001:db8::1]:443?transport=tcp', 'turn', 'tls', '2001:db8::1', 443],
    ['stun:my_host.local.', 'stun', 'udp', 'my_host.local.', 3478],
  ])('%s', (url, kind, transport, host, port) => {
    expect(read(url)).toEqual([{ kind, transport, host, port }]);
  });

  it.each([
    ['', 'stun:host, turn:host or turns:host'],
    ['example.org', 'stun:host'],
    ['stun:', 'stun:host'],
    ['stun://example.org', 'stun:host'],
    ['http:example.org', 'a stun:, turn: or turns: URL'],
    ['stuns:example.org', 'without TLS'],
    ['stun:example.org?transport=udp', 'without a transport'],
    ['stun:example.org/path', 'stun:host'],
    ['stun:user@example.org', 'stun:host'],
    ['stun:example.org:0', 'a port'],
    ['stun:example.org:65536', 'a port'],
    ['stun:example.org:', 'stun:host'],
    ['stun:2001:db8::1', 'stun:host'],
    ['stun:[192.0.2.1]', 'a host name'],
    ['stun:[::x]', 'stun:host'],
    ['stun:1.2.3', 'a host name'],
    ['stun:256.1.1.1', 'a host name'],
    ['stun:a..b', 'a host name'],
    [`stun:${'a'.repeat(64)}`, 'a host name'],
    [`stun:${'a.'.repeat(127)}a`, 'a host name'],
    ['stun:exämple.org', 'stun:host'],
    ['turn:example.org?transport=sctp', 'udp or tcp'],
    ['turns:example.org?transport=udp', 'turns: over tcp'],
    ['turn:example.org?foo=bar', 'stun:host'],
  ])('not %j', (url, message) => {
    expect(() => read(url)).toThrow(expect.objectContaining({ code: 'ERR_BAD_ARGUMENT' }));
    expect(() => read(url)).toThrow(message);
  });
});

describe('servers', () => {
  it('of one entry share the credentials, equal ones count once', () => {
    const servers: IceServer[] = [
      { urls: ['turn:a.example', 'turns:a.example'], ...CREDENTIALS },
      { urls: 'TURN:A.example:3478', ...CREDENTIALS },
      { urls: 'turn:a.example', username: 'bob', credential: 'secret' },
    ];
    expect(readIceServers(servers, 3).map(({ url, username }) => `${url} ${username}`)).toEqual([
      'turn:a.example ann',
      'turns:a.example ann',
      'turn:a.example bob',
    ]);
    expect(() => readIceServers(servers, 2)).toThrow(expect.objectContaining({ code: 'ERR_LIMIT' }));
  });

  it('without credentials are STUN servers alone', () => {
    expect(() => read('turn:a.example', {})).toThrow('a username and a credential');
    expect(() => read('turn:a.example', { username: 'ann' })).toThrow('a username and a credential');
    expect(() => read('turns:a.example', { credential: 'x' })).toThrow('a username and a credential');
    expect(read('stun:a.example', {})).toHaveLength(1);
  });

  it.each([
    ['no array', 'stun:a.example'],
    ['no object', ['stun:a.example']],
    ['no urls', [{}]],
    ['an empty array', [{ urls: [] }]],
    ['a number', [{ urls: 5 }]],
    ['a number among them', [{ urls: [5] }]],
    ['another name', [{ url: 'stun:a.example' }]],
    ['a long user name', [{ urls: 'turn:a.example', username: 'a'.repeat(509), credential: '' }]],
  ])('%s: refused', (_what, servers) => {
    expect(() => readIceServers(servers as IceServer[], 9)).toThrow(
      expect.objectContaining({ code: 'ERR_BAD_ARGUMENT' }),
    );
  });
});
