/** Alerts and the end of an association: T100–T106, T123, T124. */
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../src/core/bytes.ts';
import { HandshakeType, writeHandshakeHeader } from '../../src/dtls/messages/handshake.ts';
import { ContentType, writeRecordHeader } from '../../src/dtls/record/record.ts';
import type { WriteEpoch } from '../../src/dtls/record/write-epoch.ts';
import { LOCAL_CLOSE, Pair, connectedPair, sealed, textOf } from './pair.ts';
import type { Machine } from './machines.ts';
import { Conversation } from './machines.ts';

function plaintextAlert(level: number, description: number): Uint8Array {
  const record = new Uint8Array(15);
  writeRecordHeader(record, 0, ContentType.alert, 0, 50, 2);
  record.set([level, description], 13);
  return record;
}

describe('close', () => {
  it('T100 close_notify goes out once and comes back, and both ends are empty', () => {
    const pair = connectedPair();
    pair.client.close(LOCAL_CLOSE, pair.now);
    expect(pair.client.state).toBe('closed');
    pair.runTo(pair.now + 1000);
    expect(pair.events.client).toEqual([{ type: 'connected' }]);
    expect(pair.events.server).toEqual([{ type: 'connected' }, { type: 'closed' }]);
    expect(pair.sent.slice(4).map(({ from }) => from)).toEqual(['client', 'server']);
    expect([pair.client.nextTimeout(), pair.server.nextTimeout()]).toEqual([Infinity, Infinity]);
  });

  it('T100 what came before close_notify is delivered, what comes after is not', () => {
    const { client, server, now } = connectedPair();
    const before = sealed(client, 'before') ?? new Uint8Array();
    const late = sealed(client, 'late') ?? new Uint8Array();
    client.close(LOCAL_CLOSE, now);
    const notify = client.pollTransmit() ?? new Uint8Array();
    server.handlePacket(concatBytes(before, notify, late), now);
    server.handlePacket(late, now);
    expect(textOf(server.pollData() ?? new Uint8Array())).toBe('before');
    expect(server.pollData()).toBeUndefined();
  });

  it('T105 during the handshake it says nothing more', () => {
    const pair = new Pair().start();
    pair.client.close(LOCAL_CLOSE, pair.now);
    expect([pair.client.pollTransmit(), pair.client.pollEvent(), pair.client.nextTimeout()]).toEqual([
      undefined,
      undefined,
      Infinity,
    ]);
  });

  it('T106 after the end every call is without effect', () => {
    const pair = connectedPair();
    const record = sealed(pair.server, 'x') ?? new Uint8Array();
    pair.client.close(LOCAL_CLOSE, pair.now);
    pair.client.pollTransmit();
    pair.client.close(LOCAL_CLOSE, pair.now);
    pair.client.start(pair.now);
    pair.client.handlePacket(record, pair.now);
    pair.client.handleTimeout(pair.now + 60_000);
    pair.client.setRemoteFingerprints([], pair.now);
    expect([pair.client.pollTransmit(), pair.client.pollEvent(), pair.client.pollData()]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(pair.client.state).toBe('closed');
    expect(pair.client.nextTimeout()).toBe(Infinity);
  });

  it.each(['local-close', 'path-lost'])('says close_notify for %s, and shows why it ended', (code) => {
    const { client, now } = connectedPair();
    const reason = { ...LOCAL_CLOSE, code };
    expect(client.inspect()).not.toHaveProperty('end');
    client.close(reason, now);
    client.close(LOCAL_CLOSE, now);
    expect([client.pollTransmit(), client.pollTransmit()]).toEqual([expect.any(Uint8Array), undefined]);
    expect(client.inspect()).toMatchObject({ state: 'closed', end: reason });
  });

  it('F2c drops what was queued', () => {
    const { client, server, now } = connectedPair();
    server.handlePacket(sealed(client, 'unread') ?? new Uint8Array(), now);
    server.close(LOCAL_CLOSE, now);
    expect(server.pollData()).toBeUndefined();
    expect(server.inspect().queued).toEqual({ events: 0, alerts: 1, data: 0, heldRecords: 0 });
  });
});

describe('alerts in the handshake', () => {
  it('T101 a fatal one ends it with its name', () => {
    const pair = new Pair().start();
    pair.client.handlePacket(plaintextAlert(2, 70), pair.now);
    pair.drain();
    expect(pair.events.client).toMatchObject([
      {
        type: 'closed',
        failure: { code: 'alert-received', message: expect.stringContaining('protocol_version') },
      },
    ]);
    expect(pair.sent).toHaveLength(1);
  });

  it('close_notify ends it', () => {
    const pair = new Pair().start();
    pair.client.handlePacket(plaintextAlert(1, 0), pair.now);
    pair.drain();
    expect(pair.codes('client')).toEqual(['closed closed-in-handshake']);
  });

  it.each([
    ['user_canceled', plaintextAlert(1, 90)],
    ['an unknown warning', plaintextAlert(1, 222)],
    ['a broken one', plaintextAlert(7, 0)],
  ])('T103 T104 %s is ignored', (_, alert) => {
    const pair = new Pair().start();
    pair.client.handlePacket(alert, pair.now);
    expect(pair.client.inspect().counters.alertsIgnored).toBe(1);
    expect(pair.run().connected).toBe(true);
  });

  it('a plaintext one no longer counts once the peer has protected a record', () => {
    // The client knows the server's keys work, but waits for a fingerprint.
    const pair = new Pair({ client: { remoteFingerprints: undefined } }).start().runTo(1000);
    pair.client.handlePacket(plaintextAlert(2, 40), pair.now);
    expect(pair.client.state).toBe('connecting');
    expect(pair.client.inspect().counters.alertsIgnored).toBe(1);
  });
});

describe('a peer that wants to shake hands again', () => {
  /** Two machines whose handshake is complete, and what is needed to speak for one of them. */
  function renegotiation(type: HandshakeType, write: WriteEpoch): Uint8Array {
    const record = new Uint8Array(write.headroom + 12 + 40 + write.tailroom);
    writeHandshakeHeader(record, write.headroom, type, 40, 0, 0, 40);
    write.seal(ContentType.handshake, record, write.headroom, 52);
    return record;
  }

  function writerOf({ handshake }: Machine): WriteEpoch {
    if (handshake.epochs.write === undefined) throw new Error('no keys');
    return handshake.epochs.write;
  }

  it('T123 RFC 8827 §6.5 is refused with no_renegotiation, a few times, and the association lives', () => {
    // The same seeds give the machines of the conversation the keys of the engines of the pair.
    const pair = connectedPair();
    const conversation = new Conversation();
    conversation.until();
    const write = writerOf(conversation.client);
    write.sequence = 100;
    for (let i = 0; i < 10; i++) {
      pair.server.handlePacket(renegotiation(HandshakeType.clientHello, write), pair.now);
    }
    const alerts: number[] = [];
    for (let data = pair.server.pollTransmit(); data !== undefined; data = pair.server.pollTransmit()) {
      alerts.push(data[0]!);
    }
    expect(alerts).toEqual([ContentType.alert, ContentType.alert, ContentType.alert, ContentType.alert]);
    expect(pair.server.inspect().counters.renegotiationsRefused).toBe(10);
    expect(pair.server.state).toBe('connected');
  });

  it('a refusal not yet sent gives way to close_notify', () => {
    const pair = connectedPair();
    const conversation = new Conversation();
    conversation.until();
    const write = writerOf(conversation.client);
    write.sequence = 100;
    pair.server.handlePacket(renegotiation(HandshakeType.clientHello, write), pair.now);
    pair.server.close(LOCAL_CLOSE, pair.now);
    expect(pair.server.pollTransmit()).toBeDefined();
    expect(pair.server.pollTransmit()).toBeUndefined();
  });

  it('T123 HelloRequest is refused by a client', () => {
    const pair = connectedPair();
    const conversation = new Conversation();
    conversation.until();
    const write = writerOf(conversation.server);
    write.sequence = 100;
    pair.client.handlePacket(renegotiation(HandshakeType.helloRequest, write), pair.now);
    pair.drain();
    pair.runTo(pair.now + 100);
    expect(pair.connected).toBe(true);
    expect(pair.server.inspect().counters.alertsIgnored).toBe(1);
  });

  it('T123 a plaintext HelloRequest during the handshake is ignored', () => {
    const pair = new Pair().start();
    const record = new Uint8Array(25);
    writeRecordHeader(record, 0, ContentType.handshake, 0, 0, 12);
    pair.client.handlePacket(record, pair.now);
    expect(pair.run().connected).toBe(true);
  });
});
