/** How a peer's end of the association reads as the end of the connection. */
import { expect, test } from 'vitest';
import { CHUNK } from '../../src/sctp/constants.ts';
import { encodeCause } from '../../src/sctp/packet/causes.ts';
import { encodeChunk } from '../../src/sctp/packet/simple.ts';
import { endReason } from '../../src/channel/end-reasons.ts';
import { isOrderly } from '../../src/core/errors.ts';
import { Puppet } from '../sctp/puppet.ts';

const NOTHING = new Uint8Array(0);

test.each([
  ['C8: an ABORT without a cause (werift, aiortc)', encodeChunk(CHUNK.abort, 0, NOTHING), 'remote-close'],
  ['an ABORT of the user (browsers)', encodeCause(CHUNK.abort, 12, NOTHING), 'remote-close'],
  ['an ABORT for another cause', encodeCause(CHUNK.abort, 13, NOTHING), 'aborted-by-peer'],
  [
    'C8: an ABORT whose cause cannot be read',
    encodeChunk(CHUNK.abort, 0, Uint8Array.of(0, 12, 0, 99)),
    'aborted-by-peer',
  ],
])('%s', (_, abort, code) => {
  const puppet = new Puppet();
  puppet.say(abort);
  puppet.drain();
  const reason = endReason(puppet.closing());
  expect([reason.code, isOrderly(reason)]).toEqual([code, code === 'remote-close']);
});
