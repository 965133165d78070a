/**
 * What every stack is tried with, foreign as it may be: loss on reliable and unreliable channels, either end offering, empty
 * messages, identifiers used again, and its sudden death.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Host } from '../browser/host.ts';
import type { WireMessage } from '../browser/page-peer.ts';
import type { PeerProcess } from './child-process.ts';
import { lossySocket } from './lossy-socket.ts';
import { Meeting } from './meeting.ts';

export interface Trial {
  readonly name: string;
  readonly start: () => Promise<PeerProcess>;
  /** Whether the empty messages it sends arrive. Default true. */
  readonly sendsEmpty?: boolean;
}

const LOSS = 0.04;
const COUNT = 150;
const SIZE = 700;
const LAST = 'last';
const OFFERERS = ['sansrtc', 'foreign'] as const;

/** Each with the share of messages that must arrive: what is not sent again is lost at the rate of the path, and its tail. */
const UNRELIABLE = [
  ['ordered', { label: 'ordered', maxRetransmits: 0 }],
  ['unordered', { label: 'unordered', ordered: false, maxRetransmits: 0 }],
] as const;

export function describeTrials({ name, start, sendsEmpty = true }: Trial): void {
  describe(`C11: ${name}`, () => {
    let began = 0;
    let running: PeerProcess;
    let host: Host;
    let isLossy = false;

    beforeAll(async () => {
      began = performance.now();
      running = await start();
      host = await Host.listen({ createSocket: lossySocket(LOSS, () => isLossy) });
      console.log(running.description);
    });

    afterAll(async () => {
      await host.close();
      await running.stop();
      console.log(`C11: ${name}: ${((performance.now() - began) / 1000).toFixed(1)} s`);
    });

    async function meet(
      offerer: (typeof OFFERERS)[number],
      on = { host, peer: running.peer },
    ): Promise<Meeting> {
      const meeting = await Meeting.begin(on.host, on.peer, { offerer });
      await meeting.connection.opened('chat');
      await on.peer.opened(meeting.name, 'chat');
      return meeting;
    }

    async function withLoss(run: () => Promise<void>): Promise<void> {
      isLossy = true;
      try {
        await run();
      } finally {
        isLossy = false;
      }
    }

    describe.each(OFFERERS)('%s offers', (offerer) => {
      test('4 % of all datagrams lost each way: a reliable channel delivers all, in order', async () => {
        const meeting = await meet(offerer);
        const texts = numbered();
        await withLoss(async () => {
          for (const text of texts) {
            await meeting.peer.send(meeting.name, 'chat', { text });
            await meeting.connection.send('chat', { text });
          }
          for (const text of texts) {
            expect(await meeting.connection.receive('chat')).toEqual({ text });
            expect(await meeting.peer.receive(meeting.name, 'chat')).toEqual({ text });
          }
        });
        await meeting.peer.close(meeting.name);
      });

      test.each(UNRELIABLE)(
        '4 % lost each way: an %s channel that never sends again loses what the path loses',
        async (_, { label, ...options }) => {
          const meeting = await meet(offerer);
          await meeting.openChannel('sansrtc', { label, ...options });
          await withLoss(() => expectMost(meeting, label, !('ordered' in options)));
          await meeting.expectEcho('chat');
          await meeting.peer.close(meeting.name);
        },
      );
    });

    test('empty messages, between others', async () => {
      const meeting = await meet('sansrtc');
      const messages: WireMessage[] = [
        { text: '' },
        { text: 'text' },
        { binary: '' },
        { binary: '\x00' },
        { text: '' },
      ];
      for (const message of messages) await meeting.connection.send('chat', message);
      for (const message of messages)
        expect(await running.peer.receive(meeting.name, 'chat')).toEqual(message);
      if (sendsEmpty) {
        for (const message of messages) await running.peer.send(meeting.name, 'chat', message);
        for (const message of messages) expect(await meeting.connection.receive('chat')).toEqual(message);
      }
      await running.peer.close(meeting.name);
    });

    test.each(OFFERERS)('a channel of %s is closed and made again, five times', async (opener) => {
      const meeting = await meet('foreign');
      for (let i = 0; i < 5; i++) {
        const label = `again ${i}`;
        await meeting.openChannel(opener, { label });
        await meeting.expectEcho(label);
        const channel = await meeting.connection.opened(label);
        if (i % 2 === 0) channel.close();
        else await running.peer.closeChannel(meeting.name, label);
        await meeting.connection.channelClosed(label);
        await running.peer.closed(meeting.name, label);
      }
      await meeting.expectEcho('chat');
      await running.peer.close(meeting.name);
    });

    test('its process is killed: our end ends by itself, with a reason, and holds nothing', async () => {
      const victim = await start();
      // A gate that a test can wait for; the default is 30 s, and another 60 for a restart.
      const rtc = {
        ice: { consentTimeout: 6000 },
        pathDownTimeout: 1000,
        sctp: { gates: { dataProgress: 3000 } },
      };
      const meeting = await Meeting.begin(host, victim.peer, { offerer: 'foreign', rtc });
      await meeting.connection.opened('chat');
      await meeting.expectEcho('chat');
      await victim.kill();
      await meeting.connection.send('chat', { text: 'is anybody there?' });
      const { code, gate } = await meeting.connection.closed();
      console.log(`C11: ${name}, killed: ${code}, ${gate ?? 'no gate'}`);
      expect(gate).toBeDefined();
      expect(await meeting.connection.channelClosed('chat')).toContain('channelclose');
      expect(meeting.connection.rtc.isEmpty).toBe(true);
    });
  });
}

function numbered(): string[] {
  return Array.from({ length: COUNT }, (_, i) => `${i} ${'.'.repeat(SIZE)}`);
}

/** At a rate that the path carries: what is lost is lost by chance alone. */
async function expectMost(
  { connection, peer, name }: Meeting,
  label: string,
  isOrdered: boolean,
): Promise<void> {
  const heard = { ours: [] as string[], theirs: [] as string[] };
  for (const text of numbered()) {
    await peer.send(name, label, { text });
    await connection.send(label, { text });
    await new Promise((resolve) => setTimeout(resolve, 4));
  }
  for (let tries = 0; !heard.ours.includes(LAST) || !heard.theirs.includes(LAST); tries++) {
    if (tries > 200) throw new Error(`nothing comes through on "${label}" any more`);
    await peer.send(name, label, { text: LAST });
    await connection.send(label, { text: LAST });
    await new Promise((resolve) => setTimeout(resolve, 50));
    heard.ours.push(...connection.drain(label).map(textOf));
    heard.theirs.push(...(await peer.drain(name, label)).map(textOf));
  }
  for (const texts of Object.values(heard)) {
    const numbers = texts.filter((text) => text !== LAST).map((text) => parseInt(text, 10));
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(numbers.length).toBeGreaterThan(COUNT * 0.75);
    if (isOrdered) expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  }
}

function textOf(message: WireMessage): string {
  return 'text' in message ? message.text : 'binary';
}
