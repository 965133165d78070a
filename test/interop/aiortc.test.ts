/** aiortc: DTLS of OpenSSL, ICE and SCTP of its own, in Python. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describeForeign } from './availability.ts';
import { startProcess } from './child-process.ts';
import { describeConversations } from './conversations.ts';

/** Debian's own interpreter: the one that sees Debian's packages. `AIORTC_PYTHON` names another. */
const PYTHON = process.env['AIORTC_PYTHON'] ?? '/usr/bin/python3';
const PROGRAM = fileURLToPath(new URL('./aiortc/peer.py', import.meta.url));

function missing(): string | undefined {
  const { status } = spawnSync(PYTHON, ['-c', 'import aiortc']);
  return status === 0 ? undefined : `${PYTHON} has no aiortc (apt-get install python3-aiortc)`;
}

describeForeign('aiortc', missing(), () => {
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
