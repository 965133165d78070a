/** aiortc: DTLS of OpenSSL, ICE and SCTP of its own, in Python. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { Host } from '../browser/host.ts';
import { describeForeign } from './availability.ts';
import { startProcess } from './child-process.ts';
import { describeConversations } from './conversations.ts';
import { Meeting } from './meeting.ts';

/** Debian's own interpreter: the one that sees Debian's packages. `AIORTC_PYTHON` names another. */
const PYTHON = process.env['AIORTC_PYTHON'] ?? '/usr/bin/python3';
const PROGRAM = fileURLToPath(new URL('./aiortc/peer.py', import.meta.url));

function missing(): string | undefined {
  const { status } = spawnSync(PYTHON, ['-c', 'import aiortc']);
  return status === 0 ? undefined : `${PYTHON} has no aiortc (apt-get install python3-aiortc)`;
}

describeForeign('aiortc', missing(), () => {
  // Its offers are of before RFC 8841, unless it is told otherwise.
  test.each([
    ['before RFC 8841', [], 'm=application 9 DTLS/SCTP 5000', 'a=sctpmap:5000 webrtc-datachannel 65535'],
    ['RFC 8841', ['--rfc8841'], 'm=application 9 UDP/DTLS/SCTP webrtc-datachannel', 'a=sctp-port:5000'],
  ])('offers in the form of %s, and is answered in it', async (_, args, mediaLine, attribute) => {
    const running = await startProcess(PYTHON, [PROGRAM, ...args]);
    const host = await Host.listen();
    try {
      const meeting = await Meeting.begin(host, running.peer, { offerer: 'foreign' });
      for (const sdp of [meeting.offer, meeting.answer]) {
        expect(sdp.replace(/^(m=application) \d+/m, '$1 9')).toContain(`${mediaLine}\r\n`);
        expect(sdp).toContain(`${attribute}\r\n`);
      }
      await meeting.expectEcho('chat');
    } finally {
      await host.close();
      await running.stop();
    }
  });

  describeConversations({
    name: 'aiortc',
    start: () => startProcess(PYTHON, [PROGRAM]),
    largestMessage: 65_536,
    tlsVersion: 'FEFD',
    // No roles but the preferred: it takes no offer but `actpass`, and picks its stream ids by the ICE role instead of the DTLS role.
    // It delivers one message an arrival where other streams' chunks lie between two, and FORWARD-TSN discards the rest.
    mixesUnderLoss: false,
    closeCode: 'aborted-by-peer',
  });
});
