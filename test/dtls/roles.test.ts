/** F1b: two ends in the same role never hang silently. */
import { describe, expect, it } from 'vitest';
import { copyBytes } from '../../src/core/bytes.ts';
import type { DtlsEvent, DtlsOptions, DtlsRole } from '../../src/dtls/index.ts';
import { Dtls } from '../../src/dtls/index.ts';
import { engineOptions } from './pair.ts';

function engine(role: DtlsRole, seed: number, options: Partial<DtlsOptions> = {}): Dtls {
  const started = new Dtls({ ...engineOptions(role, seed), ...options });
  started.start(0);
  return started;
}

function hello(client: Dtls): Uint8Array {
  return client.pollTransmit() ?? new Uint8Array();
}

function events(of: Dtls): DtlsEvent[] {
  const list: DtlsEvent[] = [];
  for (let event = of.pollEvent(); event !== undefined; event = of.pollEvent()) list.push(event);
  return list;
}

/** Runs `engine` alone until it ends. */
function runOut(of: Dtls): void {
  for (let at = of.nextTimeout(); at < Infinity; at = of.nextTimeout()) of.handleTimeout(at);
}

const both = { setups: { local: 'active', remote: 'active' } };

describe('both active', () => {
  it('F1b the first foreign ClientHello is a warning, the second the end, within the first retransmission', () => {
    const [one, other] = [engine('client', 1), engine('client', 2)];
    one.handlePacket(hello(other), 10);
    expect(events(one)).toMatchObject([{ type: 'warning', failure: { code: 'role-conflict-both-active' } }]);
    expect(one.state).toBe('connecting');
    other.handleTimeout(400);
    one.handlePacket(hello(other), 410);
    expect(events(one)).toMatchObject([{ type: 'closed', failure: { code: 'role-conflict-both-active' } }]);
    expect(one.nextTimeout()).toBe(Infinity);
  });

  it('F1b ends at the first when the peer has said that it is active', () => {
    const [one, other] = [engine('client', 1, both), engine('client', 2, both)];
    one.handlePacket(hello(other), 10);
    expect(events(one)).toMatchObject([
      {
        type: 'closed',
        failure: {
          code: 'role-conflict-both-active',
          message: expect.stringMatching(
            /local a=setup:active, remote a=setup:active.*One side must be passive/,
          ),
        },
      },
    ]);
  });

  it('F1b tells the peer, so that it fails as fast and with the same reason', () => {
    const [one, other] = [engine('client', 1, both), engine('client', 2)];
    const first = hello(one);
    one.handlePacket(hello(other), 10);
    other.handlePacket(first, 10);
    const alert = one.pollTransmit() ?? new Uint8Array();
    expect([...alert.subarray(13)]).toEqual([2, 10]);
    expect(one.pollTransmit()).toBeUndefined();
    other.handlePacket(alert, 20);
    expect(events(other)).toMatchObject([
      { type: 'warning', failure: { code: 'role-conflict-both-active' } },
      { type: 'closed', failure: { code: 'role-conflict-both-active' } },
    ]);
  });

  it('the same datagram twice is one suspicion', () => {
    const [one, other] = [engine('client', 1), engine('client', 2)];
    const datagram = hello(other);
    one.handlePacket(datagram, 10);
    one.handlePacket(datagram, 20);
    expect(events(one)).toHaveLength(1);
    expect(one.inspect().counters.hellosIgnored).toBe(1);
  });

  it('its own ClientHello come back is no conflict', () => {
    const one = engine('client', 1);
    const own = hello(one);
    for (let i = 0; i < 5; i++) one.handlePacket(own, 10 + i);
    expect(events(one)).toEqual([]);
    expect(one.inspect().counters.hellosReflected).toBe(5);
  });

  it('a piece too short to tell the random is ignored', () => {
    const [one, other] = [engine('client', 1), engine('client', 2, { mtu: 256 })];
    const short = copyBytes(hello(other), 0, 13 + 12 + 20);
    short[12] = 32;
    short[24] = 20;
    one.handlePacket(short, 10);
    expect(events(one)).toEqual([]);
    expect(one.inspect().counters.hellosIgnored).toBe(1);
  });

  it('F1b a conflict suspected but not proved is named at the deadline', () => {
    const [one, other] = [engine('client', 1), engine('client', 2)];
    one.handlePacket(hello(other), 10);
    runOut(one);
    expect(events(one).at(-1)).toMatchObject({
      type: 'closed',
      failure: { code: 'role-conflict-both-active' },
    });
  });

  it('a ClientHello after the server has answered means nothing', () => {
    const [client, server, other] = [engine('client', 1), engine('server', 1), engine('client', 2, both)];
    server.handlePacket(hello(client), 10);
    client.handlePacket(server.pollTransmit() ?? new Uint8Array(), 20);
    client.handlePacket(hello(other), 30);
    expect(events(client)).toEqual([]);
    expect(client.inspect().counters.hellosIgnored).toBe(1);
  });
});

describe('both passive', () => {
  it('F1b warns after 3 s and ends at the deadline, saying who should do what', () => {
    const server = engine('server', 1, { setups: { local: 'passive', remote: 'passive' } });
    server.handleTimeout(3000);
    expect(events(server)).toMatchObject([
      {
        type: 'warning',
        failure: { code: 'role-conflict-both-passive', message: expect.stringContaining('3000 ms') },
      },
    ]);
    runOut(server);
    expect(events(server)).toMatchObject([
      {
        type: 'closed',
        failure: {
          code: 'role-conflict-both-passive',
          gate: 'dtlsHandshake',
          message: expect.stringMatching(/remote a=setup:passive.*One side must be active/),
        },
      },
    ]);
  });

  it('F1b blames the path when the peer has said that it is active', () => {
    const server = engine('server', 1, { setups: { local: 'passive', remote: 'active' } });
    runOut(server);
    expect(events(server).map((event) => 'failure' in event && event.failure.code)).toEqual([
      'no-client-hello',
      'no-client-hello',
    ]);
  });

  it('T126 a server that hears a ServerHello says so', () => {
    const [client, server, other] = [engine('client', 1), engine('server', 1), engine('server', 2)];
    server.handlePacket(hello(client), 10);
    other.handlePacket(server.pollTransmit() ?? new Uint8Array(), 20);
    expect(events(other)).toMatchObject([{ type: 'closed', failure: { code: 'unexpected-message' } }]);
  });
});

describe('no response', () => {
  it('F1f the client warns after 3 s, with what it has sent', () => {
    const client = engine('client', 1);
    for (let at = client.nextTimeout(); at <= 3000; at = client.nextTimeout()) {
      hello(client);
      client.handleTimeout(at);
    }
    expect(events(client)).toMatchObject([
      {
        type: 'warning',
        failure: { code: 'no-response', message: expect.stringMatching(/4 datagrams, \d+ bytes/) },
      },
    ]);
  });

  it('no warning once the peer has been heard', () => {
    const [client, server] = [engine('client', 1), engine('server', 1)];
    server.handlePacket(hello(client), 10);
    runOut(server);
    expect(events(server)).toMatchObject([{ type: 'closed', failure: { code: 'handshake-timeout' } }]);
  });
});
