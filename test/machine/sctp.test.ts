import { DataChannels } from '../../src/channel/index.ts';
import { SeededRandom } from '../../src/core/random.ts';
import { SctpAssociation } from '../../src/sctp/index.ts';
import { describeMachine } from './compliance.ts';
import type { Fixture, Subject } from './rig.ts';
import { layer } from './subjects.ts';

function associate(seed: number, index: 0 | 1): SctpAssociation {
  const association = new SctpAssociation({
    random: new SeededRandom(2 * seed + index),
    remoteMaxMessageSize: 100_000,
    sendBuffer: 200_000,
  });
  return association;
}

/** The verification tag that the peer puts into its packets is our own (RFC 9260 §3.1). */
function tagOf(packet: Uint8Array): number {
  return packet.length < 8 ? 0 : new DataView(packet.buffer, packet.byteOffset).getUint32(4);
}

class Tags {
  readonly seen = new Set<number>();

  note(packet: Uint8Array): void {
    const tag = tagOf(packet);
    // Small numbers may be anything.
    if (tag > 0xffff) this.seen.add(tag);
  }
}

function associationEnd(seed: number, index: 0 | 1, tags: Tags): Subject {
  const association = associate(seed, index);
  association.connect(0);
  const message = (length: number) => ({ data: new Uint8Array(length).fill(7), ppid: 53 });
  return layer({
    machine: association,
    handlePacket: (packet, now) => {
      association.handlePacket(packet, now);
    },
    pollPacket: () => {
      const packet = association.pollTransmit();
      if (packet !== undefined) tags.note(packet);
      return packet;
    },
    calls: [
      () => association.send(1, message(10)),
      () => association.send(2, message(5000)),
      () => association.send(3, { ...message(100), maxRetransmits: 0, unordered: true }),
      () => association.send(4, { ...message(100), maxPacketLifeTime: 200 }),
      () => {
        association.resetStreams([1]);
      },
      () => {
        association.discard(2);
      },
      () => {
        association.ignore(3);
      },
    ],
    secrets: () => [...tags.seen],
  });
}

const association: Fixture = {
  name: 'SctpAssociation',
  setUp: 300,
  connected: '"connected"',
  make: (seed) => {
    const tags = new Tags();
    return { subject: associationEnd(seed, 0, tags), peer: associationEnd(seed, 1, tags) };
  },
};

/** The association below them is part of the stage: it is fed first, and what it says is theirs. */
function channelsEnd(seed: number, index: 0 | 1): Subject {
  const association = associate(seed, index);
  const channels = new DataChannels(association);
  channels.setRole(index === 0 ? 'client' : 'server');
  association.connect(0);
  const carry = (now: number): void => {
    for (let event = association.pollEvent(); event !== undefined; event = association.pollEvent())
      channels.handleSctpEvent(event, now);
  };
  const chat = channels.createChannel('chat');
  let time = 0;
  const subject = layer({
    machine: channels,
    handlePacket: (packet, now) => {
      time = Math.max(time, now);
      association.handlePacket(packet, now);
      carry(now);
    },
    pollPacket: (now) => {
      for (;;) {
        const packet = association.pollTransmit();
        const hasSaid = association.queuedEvents > 0;
        carry(now);
        if (packet !== undefined || !hasSaid) return packet;
      }
    },
    calls: [
      () => chat.send('a word'),
      () => chat.send(new Uint8Array(5000)),
      () => {
        chat.bufferedAmountLowThreshold = 100;
      },
      () => {
        chat.pauseReading();
      },
      () => {
        chat.resumeReading();
      },
      () => channels.createChannel('another', { ordered: false, maxRetransmits: 0 }),
      () => channels.createChannel('pre-arranged', { negotiated: true, id: 100 }),
      () => {
        chat.close();
      },
    ],
  });
  return {
    ...subject,
    handleTimeout: (now) => {
      association.handleTimeout(now);
      carry(now);
      subject.handleTimeout(now);
    },
    nextTimeout: () => Math.min(association.nextTimeout(), subject.nextTimeout()),
    timeoutReason: () => association.timeoutReason() ?? subject.timeoutReason(),
    close: (reason, now) => {
      association.close(reason, now);
      subject.close(reason, now);
    },
  };
}

const channels: Fixture = {
  name: 'DataChannels',
  setUp: 400,
  connected: '"channelopen"',
  make: (seed) => ({ subject: channelsEnd(seed, 0), peer: channelsEnd(seed, 1) }),
};

describeMachine(association);
describeMachine(channels);
