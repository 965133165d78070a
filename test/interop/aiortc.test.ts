/** aiortc: DTLS of OpenSSL, ICE and SCTP of its own, in Python. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test, vi } from 'vitest';
import { Host } from '../browser/host.ts';
import { describeForeign } from './availability.ts';
import { startProcess } from './child-process.ts';
import type { ForeignPeer } from './contract.ts';
import { ALL_ROLES, describeConversations } from './conversations.ts';
import { describeForwarding } from './forwarding.ts';
import { installed, run } from './installed.ts';
import { Meeting } from './meeting.ts';
import { describeTrials } from './trials.ts';

/** Debian's own interpreter: the one that sees Debian's packages. `AIORTC_PYTHON` names another. */
const PYTHON = process.env['AIORTC_PYTHON'] ?? '/usr/bin/python3';
const PROGRAM = fileURLToPath(new URL('./aiortc/peer.py', import.meta.url));

const BULK = 2 * 1024 * 1024;

function missing(): string | undefined {
  const { status } = spawnSync(PYTHON, ['-c', 'import aiortc']);
  return status === 0 ? undefined : `${PYTHON} has no aiortc (apt-get install python3-aiortc)`;
}

/** With a peer and a host of its own. */
async function withPeer(
  args: readonly string[],
  run: (host: Host, peer: ForeignPeer) => Promise<void>,
): Promise<void> {
  const running = await startProcess(PYTHON, [PROGRAM, ...args]);
  const host = await Host.listen();
  try {
    await run(host, running.peer);
  } finally {
    await host.close();
    await running.stop();
  }
}

describeForeign('aiortc', missing(), () => {
  // Its offers are of before RFC 8841, unless it is told otherwise.
  test.each([
    ['before RFC 8841', [], 'm=application 9 DTLS/SCTP 5000', 'a=sctpmap:5000 webrtc-datachannel 65535'],
    ['RFC 8841', ['--rfc8841'], 'm=application 9 UDP/DTLS/SCTP webrtc-datachannel', 'a=sctp-port:5000'],
  ])('offers in the form of %s, and is answered in it', async (_, args, mediaLine, attribute) => {
    await withPeer(args, async (host, peer) => {
      const meeting = await Meeting.begin(host, peer, { offerer: 'foreign' });
      for (const sdp of [meeting.offer, meeting.answer]) {
        expect(sdp.replace(/^(m=application) \d+/m, '$1 9')).toContain(`${mediaLine}\r\n`);
        expect(sdp).toContain(`${attribute}\r\n`);
      }
      await meeting.expectEcho('chat');
    });
  });

  // As offerer it is controlling, and takes the odd stream ids; as DTLS client it ought to take the even ones.
  describe('as offerer and DTLS client it opens channels on ids that are not its own', () => {
    test('which are taken and counted; ours find others', async () => {
      await withPeer([], async (host, peer) => {
        const meeting = await Meeting.begin(host, peer, { offerer: 'foreign', role: 'server' });
        await meeting.expectEcho('chat');
        for (const [i, opener] of (['sansrtc', 'foreign', 'sansrtc', 'foreign'] as const).entries()) {
          await meeting.openChannel(opener, { label: `channel ${i}` });
          await meeting.expectEcho(`channel ${i}`);
        }
        const { channels, counters } = meeting.connection.rtc.inspect().channels;
        expect(channels.map(({ id }) => id)).toEqual([1, 3, 5, 7, 9]);
        expect(counters).toMatchObject({ openWrongParity: 3, openBadStreamId: 0, protocolViolations: 0 });
      });
    });

    test('which are refused where we insist on RFC 8832, and the connection lives', async () => {
      await withPeer([], async (host, peer) => {
        const rtc = { channels: { tolerateParity: false } };
        const meeting = await Meeting.begin(host, peer, { offerer: 'foreign', role: 'server', rtc });
        expect(await peer.closed(meeting.name, 'chat')).toContain('close');
        expect(meeting.connection.rtc.inspect().channels.counters.openBadStreamId).toBe(1);
        await meeting.openChannel('sansrtc', { label: 'ours' });
        await meeting.expectEcho('ours');
      });
    });
  });

  test('it answers a path MTU probe: packets grow', async () => {
    await withPeer([], async (host, peer) => {
      const meeting = await Meeting.begin(host, peer, { offerer: 'foreign' });
      // A peer that is too busy to read loses packets, and three large ones in a row look like a black hole for a second.
      await vi.waitFor(
        async () => {
          expect(await meeting.bulkFromUs('chat', BULK)).toBe(true);
          expect(meeting.connection.rtc.inspect().sctp.pathMtu).toMatchObject({
            state: 'complete',
            size: expect.toSatisfy((size: number) => size > 1400),
          });
        },
        { timeout: 15_000, interval: 300 },
      );
    });
  });

  describeConversations({
    name: 'aiortc',
    start: () => startProcess(PYTHON, [PROGRAM]),
    largestMessage: 65_536,
    tlsVersion: 'FEFD',
    // It takes no offer but `actpass`.
    roles: ALL_ROLES.filter(([offerer, role]) => offerer === 'foreign' || role === 'server'),
    // It delivers one message an arrival where other streams' chunks lie between two, and FORWARD-TSN discards the rest.
    mixesUnderLoss: false,
  });
});

describeForeign('aiortc, media', missing(), () => {
  test('an offer of its own, as it is, gives one id to two header extensions of a bundle: it is refused', async () => {
    await withPeer(['--as-it-is'], async (host, peer) => {
      await peer.publish('publisher');
      await peer.offer('publisher', []);
      const offer = await peer.completeDescription('publisher');
      const { rtc } = host.connection();
      expect(() => rtc.receiveOffer(offer)).toThrow(
        expect.objectContaining({ sdpCode: 'extension-conflict' }),
      );
    });
  });

  describeForwarding({
    name: 'aiortc',
    start: () => startProcess(PYTHON, [PROGRAM]),
    enough: { audio: 150, video: 30 },
  });
});

/** The newest one that has been tried, in an environment of its own; Debian's is of years ago. */
const NEWEST = '1.16.0';

const newest = installed(`aiortc-${NEWEST}`, (folder) => {
  run('python3', ['-m', 'venv', folder], { cwd: folder });
  run(join(folder, 'bin/pip'), ['install', '--quiet', '--only-binary', ':all:', `aiortc==${NEWEST}`], {
    cwd: folder,
  });
});

describeForeign(`aiortc ${NEWEST}`, newest.missing, () => {
  describeTrials({
    name: `aiortc ${NEWEST}`,
    start: () => startProcess(join(newest.folder ?? '', 'bin/python'), [PROGRAM]),
  });
  describeForwarding({
    name: `aiortc ${NEWEST}`,
    start: () => startProcess(join(newest.folder ?? '', 'bin/python'), [PROGRAM]),
    enough: { audio: 150, video: 30 },
  });
});
