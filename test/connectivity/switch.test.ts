/** From the relay to a direct path that is found later, with one fault at one datagram on any of the ways: nothing is lost. */
import { expect, test } from 'vitest';
import type { CutFault, CutStage } from '../../src/sim/index.ts';
import { cutAnywhere } from '../../src/sim/index.ts';
import { howMany } from '../how-many.ts';
import type { Agent, AgentSetting, Stage } from './stage.ts';
import { revealHost, setStage } from './stage.ts';

const MESSAGES = 20;
const BEHIND_RELAY: AgentSetting = { nat: 'none', lite: false, finds: 'relay', hostLater: true };

interface SwitchStage extends CutStage {
  readonly stage: Stage;
}

function typesOf({ rtc }: Agent): string | undefined {
  const pair = rtc.inspect().ice.selectedPair;
  return pair === undefined ? undefined : `${pair.local.type} – ${pair.remote.type}`;
}

/** A channel over relays alone; then both ends learn of their own addresses, while messages go both ways. */
function build(seed: number): SwitchStage {
  const stage = setStage({ seed, family: 4, offerer: BEHIND_RELAY, answerer: BEHIND_RELAY });
  const { net, turnHost, offerer, answerer } = stage;
  const ends = [offerer, answerer];
  net.run({ until: () => ends.every(({ channels }) => channels.has('chat')), limit: 30_000 });
  net.advance(6_000);
  expect(ends.map(typesOf)).toEqual(['relay – relay', 'relay – relay']);
  revealHost(offerer, answerer);
  revealHost(answerer, offerer);
  for (let i = 0; i < MESSAGES; i++) {
    for (const end of ends) net.after(i * 50, () => end.channels.get('chat')?.send(String(i)));
  }
  const isDirect = (end: Agent): boolean => typesOf(end)?.includes('relay') === false;
  const hasAll = ({ messages }: Agent): boolean => messages.length === MESSAGES;
  const isDone = (): boolean =>
    ends.every((end) => (hasAll(end) && isDirect(end)) || end.rtc.inspect().closed !== undefined);
  return { net, ends: [offerer.host, answerer.host, turnHost], isDone, stage };
}

function outcome({ stage }: SwitchStage, fault: CutFault | 'none'): string | undefined {
  const expected = Array.from({ length: MESSAGES }, (_, i) => String(i));
  for (const end of [stage.offerer, stage.answerer]) {
    const { closed } = end.rtc.inspect();
    if (closed !== undefined) {
      if (fault !== 'cut') return `ended by ${closed.code}`;
      if (closed.gate === undefined && closed.code !== 'remote-close') return `no gate: ${closed.code}`;
    } else if (end.messages.join() !== expected.join()) {
      return `heard ${end.messages.join()}`;
    } else if (fault !== 'cut' && typesOf(end) !== 'host – host') {
      return `stays on ${String(typesOf(end))}`;
    }
  }
  return undefined;
}

test('relay to direct, by renomination: every message arrives once, in order, and both ends end up on the direct path', () => {
  const report = cutAnywhere(
    { name: 'from relay to direct', build },
    { seed: 3, outcome, limit: 240_000, sample: howMany(60, 100_000) },
  );
  console.log(`${String(report.cases)} of ${String(report.of)} cases, seed ${String(report.seed)}`);
  expect(report.cases).toBeGreaterThan(50);
});
