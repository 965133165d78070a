/** A relay that goes away under connections that have no other path: back within seconds of its server, or ended by a gate. */
import { expect, test } from 'vitest';
import type { Agent, AgentSetting, Stage } from './stage.ts';
import { setStage } from './stage.ts';

const SYMMETRIC: AgentSetting = { nat: 'symmetric', lite: false, finds: 'relay' };

function relayed(): Stage & { readonly ends: readonly Agent[] } {
  const stage = setStage({ seed: 5, family: 4, offerer: SYMMETRIC, answerer: SYMMETRIC });
  const ends = [stage.offerer, stage.answerer];
  stage.net.run({ until: () => ends.every(({ channels }) => channels.has('chat')), limit: 30_000 });
  stage.net.advance(5_000);
  return { ...stage, ends };
}

test('the server is started anew and knows nobody: what is sent meanwhile arrives within ten seconds', () => {
  const { net, turn, ends } = relayed();
  turn.restart();
  for (const { channels } of ends) channels.get('chat')?.send('meanwhile');
  const outcome = net.run({
    until: () => ends.every(({ messages }) => messages.length === 1),
    limit: 20_000,
  });
  console.log(`back after ${(outcome.elapsed / 1000).toFixed(1)} s`);
  expect(outcome.reason).toBe('condition');
  expect(outcome.elapsed).toBeLessThan(10_000);
});

test('it is gone for twenty seconds: back within ten of its return', () => {
  const { net, turn, ends } = relayed();
  turn.isDown = true;
  for (const { channels } of ends) channels.get('chat')?.send('meanwhile');
  net.advance(20_000);
  turn.restart();
  turn.isDown = false;
  const outcome = net.run({
    until: () => ends.every(({ messages }) => messages.length === 1),
    limit: 20_000,
  });
  console.log(`back after ${(outcome.elapsed / 1000).toFixed(1)} s`);
  expect(outcome.reason).toBe('condition');
  expect(outcome.elapsed).toBeLessThan(10_000);
});

test('it stays away: the connections end by pathDown, and say so', () => {
  const { net, turn, ends } = relayed();
  turn.isDown = true;
  net.run({ until: () => ends.every(({ rtc }) => rtc.isEmpty), limit: 120_000 });
  for (const { rtc } of ends)
    expect(rtc.inspect().closed).toMatchObject({ code: 'path-down', gate: 'pathDown' });
});
