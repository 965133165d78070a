/** docs/guides/browsers-through-turn.md: credentials that a TURN server takes, and a client who reaches a peer by a relay alone. */
import { rmSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { Endpoint, Rtc, SeededRandom, selfSignedCertificate } from '../../src/index.ts';
import { Network, SimTurnServer } from '../../src/sim/index.ts';
import { programFolder, Programs } from '../tooling/programs.ts';

const GUIDE = 'docs/guides/browsers-through-turn.md';

afterAll(() => {
  rmSync(programFolder, { recursive: true, force: true });
});

test('credentials: a TURN server that knows the secret gives a relay for them, and for others none', async () => {
  const { exports } = await new Programs(GUIDE).run('Credentials');
  const { turnCredentials } = exports as {
    turnCredentials: (secret: string, user: string) => { username: string; credential: string };
  };
  const types = (secret: string): string[] => {
    const net = new Network({ seed: 1 });
    net.host('203.0.113.9').attach(new SimTurnServer({ address: '203.0.113.9', secret: 'the secret' }));
    const rtc = new Rtc({ certificate: selfSignedCertificate(), random: new SeededRandom(1) });
    const endpoint = new Endpoint();
    endpoint.add(rtc);
    endpoint.addSocket({ protocol: 'udp', address: '192.0.2.1', port: 5000 });
    endpoint.gather(rtc, { iceServers: [{ urls: 'turn:203.0.113.9', ...turnCredentials(secret, 'ann') }] });
    net.host('192.0.2.1').attach(endpoint, { port: 5000 });
    net.run({ until: () => rtc.iceGatheringState === 'complete' });
    return rtc.localCandidates.map(({ type }) => type);
  };
  expect(types('the secret')).toContain('relay');
  expect(types('another')).not.toContain('relay');
});

test('in the simulator, by a relay over TCP', async () => {
  const { printed } = await new Programs(GUIDE).run('Try it without a server');
  expect(printed).toEqual(['hello from the office', 'relay']);
});
