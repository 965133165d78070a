/** B8: a stream of which the association has given up what waited: its channel ends, with the reason; the others do not notice. */
import { describe, expect, it } from 'vitest';
import { encodeOpen } from '../../src/channel/dcep.ts';
import type { SctpEvent } from '../../src/sctp/index.ts';
import { connected, dcep, drain, message, remoteReset, localReset } from './fake-port.ts';

const failure = { layer: 'sctp', code: 'reassembly-timeout', message: '', gate: 'reassembly' } as const;
const stall = (streamId: number): SctpEvent => ({ type: 'streamstalled', streamId, failure });
const open = encodeOpen({ label: 'x', protocol: '', priority: 256, ordered: true });

describe('B8: a stalled stream', () => {
  it('B8: its channel has `channelerror`, its stream is reset, and the id is free after both resets', () => {
    const { port, channels } = connected('server');
    for (const id of [0, 2]) channels.handleSctpEvent(dcep(id, open), 0);
    drain(channels);
    channels.handleSctpEvent(stall(0), 60_000);
    expect(drain(channels)).toMatchObject([{ type: 'channelerror', channel: { id: 0 }, failure }]);
    expect(port.takeResets()).toEqual([0]);
    for (const event of [localReset(0), remoteReset(0)]) channels.handleSctpEvent(event, 60_100);
    expect(drain(channels)).toMatchObject([{ type: 'channelclose', channel: { id: 0 }, failure }]);
    channels.handleSctpEvent(message(2, 51, 65), 60_200);
    expect(drain(channels)).toMatchObject([{ type: 'message', channel: { id: 2 }, data: 'A' }]);
  });

  it('B8: without a channel the stream is refused; of one that closes already it is no news', () => {
    const { port, channels } = connected('server');
    channels.handleSctpEvent(stall(8), 0);
    expect(port.takeResets()).toEqual([8]);
    expect(channels.inspect().counters.openExpired).toBe(1);
    channels.handleSctpEvent(stall(8), 1);
    expect(port.takeResets()).toEqual([]);
  });
});

describe('A8: half a message in deprecated pieces', () => {
  it('A8: counts against the window, piece by piece, until it has been read or dropped', () => {
    const { port, channels } = connected('server');
    channels.handleSctpEvent(dcep(0, open), 0);
    const before = port.released;
    for (let i = 0; i < 5; i++) channels.handleSctpEvent(message(0, 52, 1, 2, 3), 0);
    expect(port.released).toBe(before);
    channels.handleSctpEvent(remoteReset(0), 0);
    expect(port.released).toBe(before + 15);
  });
});
