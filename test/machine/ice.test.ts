import { SeededRandom } from '../../src/core/random.ts';
import { IceAgent } from '../../src/ice/index.ts';
import { describeMachine } from './compliance.ts';
import type { Fixture, Subject } from './rig.ts';
import { crypto, layer } from './subjects.ts';

const ADDRESSES = [
  { address: '192.0.2.1', port: 1000 },
  { address: '192.0.2.2', port: 2000 },
] as const;

function makeAgents(seed: number, lite: boolean): readonly [IceAgent, IceAgent] {
  const random = new SeededRandom(seed);
  const agents = [0, 1].map((index) => {
    const role = index === 0 ? 'controlling' : 'controlled';
    return new IceAgent({ crypto, role, random: random.split(role), lite: lite && index === 1 });
  }) as [IceAgent, IceAgent];
  agents.forEach((agent, index) =>
    agent.addLocalCandidate({ type: 'host', protocol: 'udp', ...ADDRESSES[index]! }, 0),
  );
  agents.forEach((agent, index) => {
    const other = agents[1 - index]!;
    agent.setRemoteParameters(other.localParameters, 0);
    for (const candidate of other.localCandidates) agent.addRemoteCandidate(candidate, 0);
    agent.endOfRemoteCandidates(0);
  });
  return agents;
}

function end(agents: readonly [IceAgent, IceAgent], index: 0 | 1): Subject {
  const agent = agents[index];
  const path = { protocol: 'udp', source: ADDRESSES[1 - index]!, destination: ADDRESSES[index] } as const;
  return layer({
    machine: agent,
    handlePacket: (packet, now) => {
      agent.handlePacket(packet, path, now);
    },
    pollPacket: () => agent.pollTransmit()?.data,
    secrets: () => agents.map(({ localParameters }) => localParameters.password),
  });
}

function iceFixture(name: string, index: 0 | 1, lite: boolean): Fixture {
  return {
    name,
    setUp: 1500,
    connected: lite ? '"pairvalid"' : '"completed"',
    make: (seed) => {
      const agents = makeAgents(seed, lite);
      return { subject: end(agents, index), peer: end(agents, index === 0 ? 1 : 0) };
    },
  };
}

describeMachine(iceFixture('IceAgent, controlling', 0, false));
describeMachine(iceFixture('IceAgent, controlled', 1, false));
describeMachine(iceFixture('IceAgent, lite', 1, true));
