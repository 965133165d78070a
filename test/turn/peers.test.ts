/** Peers: permissions and channels, data out and in, and what a server may refuse of them. */
import { describe, expect, test } from 'vitest';
import { toHex } from '../../src/core/text.ts';
import {
  StunAttributeType as Type,
  StunMethod,
  StunWriter,
  attributeU32,
  attributeXorAddress,
} from '../../src/stun/index.ts';
import { encodeChannelData } from '../../src/turn/index.ts';
import { Channels } from '../../src/turn/channels.ts';
import { Bench, DATA, OTHER_PEER, PEER, PEER_6, STUN_DATA, messageOf } from './bench.ts';

/** A bench with a channel to `PEER`. */
function bound(): Bench {
  const bench = new Bench().allocated();
  bench.send(PEER, DATA);
  bench.run(100);
  expect(bench.client.inspect().channels).toMatchObject([{ number: 0x4000, state: 'bound' }]);
  return bench;
}

/** Sends each second, as consent does. */
function busy(bench: Bench, duration: number, peer = PEER, data = STUN_DATA): Bench {
  for (const end = bench.now + duration; bench.now < end;) {
    bench.send(peer, data);
    bench.run(1000);
  }
  return bench;
}

describe('permissions', () => {
  test('the first datagram waits for one, and then all go at once', () => {
    const bench = new Bench().allocated();
    const start = bench.now;
    expect(bench.send(PEER, STUN_DATA)).toBe(true);
    expect(bench.send(PEER, STUN_DATA)).toBe(true);
    expect(bench.names(start)).toEqual(['createPermission request']);
    bench.run(20);
    expect(bench.names(start)).toEqual(['createPermission request', 'send indication', 'send indication']);
    bench.run(10);
    expect(bench.relayed.map(({ source, destination }) => [source, destination])).toEqual([
      ['203.0.113.1:49152', '198.51.100.7:7000'],
      ['203.0.113.1:49152', '198.51.100.7:7000'],
    ]);
    expect(toHex(bench.relayed[0]!.data)).toBe(toHex(STUN_DATA));
  });

  test('are of an IP address, whatever the port', () => {
    const bench = new Bench().allocated();
    bench.send(PEER, STUN_DATA);
    bench.send({ ...PEER, port: 7001 }, STUN_DATA);
    bench.run(100);
    expect(bench.timesOf('createPermission request')).toHaveLength(1);
    expect(bench.relayed.map(({ destination }) => destination)).toEqual([
      '198.51.100.7:7000',
      '198.51.100.7:7001',
    ]);
  });

  test('are renewed after 240 s while they are used', () => {
    const bench = new Bench().allocated();
    const start = bench.now;
    busy(bench, 700_000);
    expect(bench.timesOf('createPermission request').map((at) => Math.round((at - start) / 1000))).toEqual([
      0, 240, 480,
    ]);
    expect(bench.relayed.length).toBeGreaterThan(690);
  });

  test('that are not used are let go, and asked for again when they are', () => {
    const bench = new Bench().allocated();
    bench.send(PEER, STUN_DATA);
    bench.run(320_000);
    expect(bench.client.inspect().permissions).toEqual([]);
    expect(bench.timesOf('createPermission request')).toHaveLength(1);
    bench.send(PEER, STUN_DATA);
    bench.run(100);
    expect(bench.timesOf('createPermission request')).toHaveLength(2);
    expect(bench.relayed).toHaveLength(2);
  });

  test('what a peer sends counts as use', () => {
    const bench = new Bench().allocated();
    bench.send(PEER, STUN_DATA);
    bench.run(230_000);
    bench.fromPeer(PEER, STUN_DATA);
    bench.run(60_000);
    expect(bench.timesOf('createPermission request')).toHaveLength(2);
  });

  test('403: the peer is left alone for 30 s', () => {
    const bench = new Bench({ server: { deniesPeer: (address) => address === PEER.address } }).allocated();
    bench.send(PEER, STUN_DATA);
    bench.send(OTHER_PEER, STUN_DATA);
    bench.run(100);
    expect(bench.send(PEER, STUN_DATA)).toBe(false);
    expect(bench.counters['peer-refused']).toBe(2);
    expect(bench.client.inspect().permissions).toEqual([
      { address: PEER.address, state: 'refused' },
      { address: OTHER_PEER.address, state: 'installed' },
    ]);
    bench.run(30_000);
    expect(bench.send(PEER, STUN_DATA)).toBe(true);
    expect(bench.relayed).toHaveLength(1);
  });

  test('that cannot be had in time: what waits is dropped, and the peer may be tried anew', () => {
    const bench = new Bench().allocated();
    bench.toServer = (name) => name !== 'createPermission request';
    bench.send(PEER, STUN_DATA);
    bench.run(39_600);
    expect(bench.counters['peer-refused']).toBe(1);
    expect(bench.client.inspect().queues.waiting).toBe(0);
    bench.toServer = () => true;
    bench.send(PEER, STUN_DATA);
    bench.run(100);
    expect(bench.relayed).toHaveLength(1);
  });

  test('that cannot be renewed in time are asked for again before they end', () => {
    const bench = new Bench().allocated();
    bench.send(PEER, STUN_DATA);
    let lost = 0;
    bench.toServer = (name) => name !== 'createPermission request' || ++lost > 7;
    bench.run(100_000);
    bench.toServer = (name) => bench.now < 285_000 || name !== '';
    busy(bench, 400_000);
    expect(bench.relayed.length).toBeGreaterThan(390);
  });

  test('a table that is full lets the one not used for longest go', () => {
    const bench = new Bench({ client: { maxPermissions: 2 } }).allocated();
    for (const n of [1, 2, 3]) {
      bench.send({ address: `198.51.100.${n}`, port: 1 }, STUN_DATA);
      bench.run(100);
    }
    expect(bench.client.inspect().permissions.map(({ address }) => address)).toEqual([
      '198.51.100.2',
      '198.51.100.3',
    ]);
  });

  test('a table full of those that are asked for refuses more', () => {
    const bench = new Bench({ client: { maxPermissions: 1 } }).allocated();
    expect(bench.send(PEER, STUN_DATA)).toBe(true);
    expect(bench.send(OTHER_PEER, STUN_DATA)).toBe(false);
    expect(bench.counters['permission-limit']).toBe(1);
  });

  test.each([
    ['without a relayed address of its family', PEER_6],
    ['of port 0', { ...PEER, port: 0 }],
    ['that is a name', { address: 'peer.local', port: 1 }],
  ])('a peer %s is not sent to', (_, peer) => {
    const bench = new Bench({ client: { families: [4] } }).allocated();
    expect(bench.send(peer, STUN_DATA)).toBe(false);
    expect(bench.counters['unusable-peer']).toBe(1);
  });

  test('both families of one allocation', () => {
    const bench = new Bench().allocated();
    bench.send(PEER_6, DATA);
    bench.run(100);
    bench.fromPeer(PEER_6, DATA, bench.client.relayed[1]);
    bench.run(100);
    expect(bench.relayed[0]?.source).toBe('[2001:db8::9]:49152');
    expect(bench.received).toMatchObject([
      { peer: PEER_6, relayed: { address: '2001:db8::9', port: 49_152 } },
    ]);
  });
});

describe('before the allocation', () => {
  test('datagrams wait, the newest hundred of them', () => {
    const bench = new Bench({ client: { maxWaiting: 3 } });
    bench.client.allocate(0);
    for (const n of [1, 2, 3, 4, 5]) bench.send(PEER, Uint8Array.of(n));
    expect(bench.counters['waiting-limit']).toBe(2);
    bench.run(200);
    expect(bench.relayed.map(({ data }) => data[0])).toEqual([3, 4, 5]);
  });

  test('and are gone when there is none', () => {
    const bench = new Bench({ client: { credentials: { username: 'alice', password: 'guess' } } });
    bench.send(PEER, DATA);
    bench.client.allocate(0);
    bench.run(100);
    expect(bench.client.state).toBe('failed');
    expect(bench.client.inspect().queues.waiting).toBe(0);
    expect(bench.send(PEER, DATA)).toBe(false);
    expect(bench.counters['not-running']).toBe(1);
  });
});

describe('channels', () => {
  test('STUN makes none; data does, and goes by indications until it is bound', () => {
    const bench = new Bench().allocated();
    bench.send(PEER, STUN_DATA);
    bench.run(100);
    const start = bench.now;
    bench.send(PEER, DATA);
    bench.send(PEER, DATA);
    expect(bench.names(start)).toEqual(['channelBind request', 'send indication', 'send indication']);
    bench.run(20);
    bench.send(PEER, DATA);
    bench.send(PEER, STUN_DATA);
    bench.run(100);
    expect(bench.names(start).slice(3)).toEqual(['channel 16384', 'channel 16384']);
    expect(bench.relayed).toHaveLength(5);
    expect(toHex(bench.relayed[3]!.data)).toBe(toHex(DATA));
  });

  test('data comes back by them', () => {
    const bench = bound();
    bench.fromPeer(PEER, DATA);
    bench.run(100);
    expect(bench.received).toMatchObject([{ peer: PEER, relayed: { address: '203.0.113.1', port: 49_152 } }]);
    expect(toHex(bench.received[0]!.data)).toBe(toHex(DATA));
    expect(bench.counters['channel-data-received']).toBe(1);
  });

  test('are padded over a stream, and not over UDP', () => {
    for (const [transport, size] of [
      ['udp', 4 + 8],
      ['tcp', 4 + 8],
    ] as const) {
      const bench = new Bench({ client: { transport } }).allocated();
      bench.send(PEER, DATA);
      bench.run(100);
      bench.send(PEER, DATA);
      expect(bench.sent.at(-1)?.bytes).toHaveLength(size);
      bench.send(PEER, DATA.slice(0, 5));
      expect(bench.sent.at(-1)?.bytes).toHaveLength(transport === 'udp' ? 9 : 12);
    }
  });

  test('each peer has its own, of its port too', () => {
    const bench = bound();
    bench.send({ ...PEER, port: 7001 }, DATA);
    bench.send(OTHER_PEER, DATA);
    bench.run(100);
    expect(bench.client.inspect().channels.map(({ number, peer }) => [number, peer.port])).toEqual([
      [0x4000, 7000],
      [0x4001, 7001],
      [0x4002, 8000],
    ]);
  });

  test('data may come before the answer to ChannelBind, or without it', () => {
    const bench = new Bench().allocated();
    bench.toClient = (name) => name !== 'channelBind success';
    bench.send(PEER, DATA);
    bench.run(100);
    bench.fromPeer(PEER, DATA);
    bench.run(20);
    expect(bench.received).toHaveLength(1);
    expect(bench.counters['channel-data-received']).toBe(1);
  });

  test('are renewed after 540 s while they are used, and permissions with them', () => {
    const bench = busy(bound(), 1_300_000, PEER, DATA);
    const [first = 0, ...later] = bench.timesOf('channelBind request');
    expect(later.map((at) => Math.round((at - first) / 1000))).toEqual([540, 1080]);
    expect(bench.timesOf('send indication')).toHaveLength(1);
  });

  test('that are not used cool for 300 s after their end, and keep their number', () => {
    const bench = bound();
    bench.run(610_000);
    expect(bench.client.inspect().channels).toMatchObject([{ number: 0x4000, state: 'cooling' }]);
    bench.send(OTHER_PEER, DATA);
    bench.send(PEER, DATA);
    bench.run(100);
    const binds = bench.sent
      .filter(({ name }) => name === 'channelBind request')
      .map(({ bytes }) => messageOf(bytes));
    expect(binds.map((request) => (attributeU32(request, Type.channelNumber) ?? 0) >>> 16)).toEqual([
      0x4000, 0x4001, 0x4000,
    ]);
    expect(attributeXorAddress(binds[2]!, Type.xorPeerAddress)).toEqual(PEER);
  });

  test('that have cooled are forgotten', () => {
    const bench = bound();
    bench.run(910_000);
    expect(bench.client.inspect().channels).toEqual([]);
  });

  test('that the server refuses are not asked for again; data goes by indications', () => {
    const bench = new Bench().allocated();
    const spoiled = { ...bench.server.options };
    bench.send(PEER, STUN_DATA);
    bench.run(100);
    bench.server.options = { ...spoiled, deniesPeer: () => true };
    busy(bench, 100_000, PEER, DATA);
    expect(bench.timesOf('channelBind request')).toHaveLength(1);
    expect(bench.client.inspect().channels).toMatchObject([{ state: 'refused' }]);
    expect(bench.relayed).toHaveLength(101);
  });

  test('whose request is lost are asked for again after a while', () => {
    const bench = new Bench().allocated();
    bench.toServer = (name) => name !== 'channelBind request' || bench.now > 60_000;
    busy(bench, 120_000, PEER, DATA);
    expect(bench.client.inspect().channels).toMatchObject([{ state: 'bound' }]);
    expect(bench.relayed.length).toBeGreaterThan(118);
  });

  test('beyond maxChannels data goes by indications', () => {
    const bench = new Bench({ client: { maxChannels: 1 } }).allocated();
    bench.send(PEER, DATA);
    bench.send(OTHER_PEER, DATA);
    bench.run(100);
    bench.send(OTHER_PEER, DATA);
    bench.run(100);
    expect(bench.client.inspect().channels).toHaveLength(1);
    expect(bench.counters['channel-limit']).toBe(2);
    expect(bench.relayed).toHaveLength(3);
  });

  test('numbers that were never used come first', () => {
    const channels = new Channels(4096);
    const peer = (n: number) => ({ address: '198.51.100.1', port: n });
    const first = channels.add(peer(1), 0);
    if (first === undefined) throw new Error('no channel');
    channels.bind(first, 0);
    expect(channels.takeDue(900_000, true)).toEqual([]);
    expect(channels.size).toBe(0);
    for (let n = 2; n <= 4096; n++) expect(channels.add(peer(n), 0)?.number).toBe(0x4000 + n - 1);
    expect(channels.add(peer(5000), 0)?.number).toBe(0x4000);
    expect(channels.add(peer(5001), 0)).toBeUndefined();
  });
});

describe('what a server sends that is none of ours', () => {
  const indication = (write: (writer: StunWriter) => StunWriter): Uint8Array =>
    write(new StunWriter('indication', StunMethod.data, new Uint8Array(12))).finish();

  test('SEC: data of an address without a permission', () => {
    const bench = bound();
    bench.feed(indication((w) => w.xorAddress(Type.xorPeerAddress, OTHER_PEER).attribute(Type.data, DATA)));
    expect(bench.received).toEqual([]);
    expect(bench.counters['no-permission']).toBe(1);
  });

  test('data of an unknown channel, and of one that has ended', () => {
    const bench = bound();
    bench.feed(encodeChannelData(0x4001, DATA, false));
    bench.run(700_000);
    bench.feed(encodeChannelData(0x4000, DATA, false));
    expect(bench.received).toEqual([]);
    expect(bench.counters['unknown-channel']).toBe(2);
  });

  test('frames that are cut off, and indications without peer or data', () => {
    const bench = bound();
    bench.feed(encodeChannelData(0x4000, DATA, false).subarray(0, 9));
    bench.feed(indication((w) => w.xorAddress(Type.xorPeerAddress, PEER)));
    bench.feed(indication((w) => w.attribute(Type.data, DATA)));
    bench.feed(indication((w) => w));
    bench.feed(
      indication((w) => w.u32(0x7ffe, 1).xorAddress(Type.xorPeerAddress, PEER).attribute(Type.data, DATA)),
    );
    expect(bench.received).toEqual([]);
    expect(bench.counters).toMatchObject({
      'bad-channel-data': 1,
      'bad-data-indication': 3,
      'unknown-attribute': 1,
    });
  });

  test('ICMP is counted', () => {
    const bench = bound();
    bench.feed(
      indication((w) => w.xorAddress(Type.xorPeerAddress, PEER).attribute(Type.icmp, new Uint8Array(8))),
    );
    expect(bench.counters['icmp']).toBe(1);
  });

  test('more than anybody takes out', () => {
    const bench = new Bench({ client: { maxQueuedReceived: 2 } }).allocated();
    bench.send(PEER, STUN_DATA);
    bench.run(100);
    const data = indication((w) => w.xorAddress(Type.xorPeerAddress, PEER).attribute(Type.data, DATA));
    for (let i = 0; i < 5; i++) bench.client.handlePacket(data, bench.now);
    expect(bench.counters).toMatchObject({ 'received-limit': 3, 'indication-received': 2 });
  });
});

test('what nobody takes out to the server is bounded', () => {
  const bench = new Bench({ client: { maxQueuedTransmits: 3 } }).allocated();
  bench.send(PEER, STUN_DATA);
  bench.run(100);
  const taken = Array.from({ length: 5 }, () => bench.client.send(PEER, STUN_DATA, bench.now));
  expect(taken).toEqual([true, true, true, false, false]);
  expect(bench.counters['transmit-limit']).toBe(2);
});

test('a datagram larger than any length is refused', () => {
  const bench = new Bench().allocated();
  expect(bench.send(PEER, new Uint8Array(65_536))).toBe(false);
  expect(bench.counters['too-large']).toBe(1);
});

test('data given to send may be changed right after it', () => {
  const bench = new Bench().allocated();
  const data = DATA.slice();
  bench.send(PEER, data);
  data.fill(0);
  bench.run(100);
  expect(toHex(bench.relayed[0]!.data)).toBe(toHex(DATA));
});
