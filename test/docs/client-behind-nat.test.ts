/** docs/guides/client-behind-nat.md: the client reaches a peer by what a STUN server says, and the table of NATs is what the simulator finds. */
import { rmSync } from 'node:fs';
import { afterAll, expect, test, vi } from 'vitest';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import { Rtc, selfSignedCertificate } from '../../src/index.ts';
import { UdpDriver } from '../../src/node/index.ts';
import { programFolder, Programs } from '../tooling/programs.ts';
import { read } from './blocks.ts';

const GUIDE = 'docs/guides/client-behind-nat.md';

afterAll(() => {
  rmSync(programFolder, { recursive: true, force: true });
});

test('the client: gathers, offers, says hello', async () => {
  const crypto = nodeCrypto();
  const heard: unknown[] = [];
  const peer = await UdpDriver.listen({ address: '0.0.0.0' });
  const signal = (offer: string): string => {
    const rtc = new Rtc({ certificate: selfSignedCertificate({ crypto }), crypto });
    peer.add(rtc, (event) => event.type === 'message' && heard.push(event.data));
    return rtc.receiveOffer(offer).answer();
  };
  const { exports } = await new Programs(GUIDE).run('The code', '\nexport { driver };', {
    iceServers: [],
    signal,
  });
  await vi.waitFor(() => expect(heard).toEqual(['hello']), 60_000);
  await Promise.all([peer.close(), (exports.driver as UdpDriver).close()]);
});

test('which NATs need a relay: the table is what the program prints', async () => {
  const { printed } = await new Programs(GUIDE).run('What kinds of NAT do');
  const found = printed.map((line) =>
    /STUN no, TURN relay|STUN no, TURN \w+-relay/.test(line) ? 'TURN' : 'direct',
  );
  expect(printed.filter((line) => line.includes('TURN no'))).toEqual([]);
  const rows = read(GUIDE).split('| mine \\ theirs')[1]?.split('\n').slice(2, 6) ?? [];
  const told = rows.flatMap((row) =>
    row
      .split('|')
      .slice(2, 6)
      .map((cell) => cell.trim()),
  );
  expect(told).toHaveLength(16);
  expect(found, printed.join('\n')).toEqual(told);
});
