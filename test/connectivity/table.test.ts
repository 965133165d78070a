/**
 * Who connects with whom, and how: {full, lite} × {full, lite} × {host, srflx, prflx, relay, TCP} × the nine pairs of NATs × {IPv4, IPv6},
 * each with either end as the offerer. The table is printed, and every row of it is asserted.
 *
 *   must connect     over a pair of the kind that the network allows, and directly where it allows that
 *   cannot connect   ends by the gate iceConnect, and says so
 */
import { afterAll, describe, expect, test } from 'vitest';
import type { Agent, AgentSetting, Family, NatKind, Stage } from './stage.ts';
import { LATENCY, ROUND_TRIP, setStage } from './stage.ts';

type Way = 'host' | 'srflx' | 'prflx' | 'relay' | 'tcp';
type Mode = 'full' | 'lite';

interface Row {
  readonly way: Way;
  readonly family: Family;
  readonly offerer: Mode;
  readonly answerer: Mode;
  readonly nats: readonly [NatKind, NatKind];
}

/** RFC 8445 §14.2. */
const TA = 50;
const SEED = 14;
const NATS: readonly NatKind[] = ['full cone', 'port restricted', 'symmetric'];
const WAYS: readonly Way[] = ['host', 'srflx', 'prflx', 'relay', 'tcp'];
const printed: string[] = [];

/** A lite agent has an address of its own in the open (RFC 8445 §2.5): it stands behind no NAT. */
function rows(way: Way): Row[] {
  const made: Row[] = [];
  for (const family of [4, 6] as const) {
    for (const offerer of ['full', 'lite'] as const) {
      for (const answerer of ['full', 'lite'] as const) {
        const ofOfferer: readonly NatKind[] = offerer === 'lite' ? ['none'] : NATS;
        const ofAnswerer: readonly NatKind[] = answerer === 'lite' ? ['none'] : NATS;
        // Two lite agents stand in the open: UDP passes, and nobody asks for a relay.
        const areLite = offerer === 'lite' && answerer === 'lite';
        for (const a of ofOfferer) {
          for (const b of ofAnswerer) {
            if (!areLite || (way !== 'tcp' && way !== 'relay'))
              made.push({ way, family, offerer, answerer, nats: [a, b] });
          }
        }
        // Over TCP those are of interest whose network passes no UDP.
        if (offerer === 'full' && answerer === 'full' && way !== 'tcp')
          made.push({ way, family, offerer, answerer, nats: ['none', 'none'] });
      }
    }
  }
  return made;
}

function setting({ way, offerer, answerer, nats, family }: Row, seed: number) {
  const agent = (mode: Mode, nat: NatKind, isOfferer: boolean): AgentSetting => {
    // Of two behind NATs one must listen all the same; in vain.
    const listens = nat === 'none' || (!isOfferer && nats[0] !== 'none');
    const lite = mode === 'lite';
    // A lite agent gathers nothing (RFC 8445 §5.2), and whoever is the only one behind a NAT needs no help.
    const finds = lite || way === 'host' || way === 'tcp' ? 'host' : way === 'relay' ? 'relay' : 'srflx';
    return {
      nat,
      lite,
      finds,
      ...(way === 'relay' && !lite ? { options: { ice: { transportPolicy: 'relay' as const } } } : {}),
      ...(way === 'prflx' && isOfferer ? { silent: true } : {}),
      ...(way === 'tcp'
        ? { udpBlocked: true, tcp: listens ? ('passive' as const) : ('active' as const) }
        : {}),
    };
  };
  return { seed, family, offerer: agent(offerer, nats[0], true), answerer: agent(answerer, nats[1], false) };
}

/** Whether the network lets datagrams both ways through, given what the agents find out. */
function mustConnect({ way, offerer, nats: [a, b] }: Row): boolean {
  if (way === 'relay') return true;
  const inTheOpen = [a, b].filter((nat) => nat === 'none').length;
  switch (way) {
    case 'host':
    case 'tcp':
      // Between two lite agents nobody checks: both are in the open.
      return inTheOpen > 0;
    case 'srflx':
      return inTheOpen > 0 || holesMeet(a, b);
    case 'prflx':
      // The offerer tells nothing: its checks must get through by themselves, or those of its peer find nobody to send to.
      if (offerer === 'lite') return false;
      return b === 'none' || b === 'full cone';
  }
}

/** RFC 4787 in one line: a mapping per destination is found only by who may send to any mapping. */
function holesMeet(a: NatKind, b: NatKind): boolean {
  if (a === 'full cone' || b === 'full cone') return true;
  return a !== 'symmetric' && b !== 'symmetric';
}

function isConnected({ rtc }: Agent): boolean {
  return rtc.iceConnectionState === 'connected' || rtc.iceConnectionState === 'completed';
}

function isOpen({ offerer, answerer }: Stage): boolean {
  return offerer.channels.has('chat') && answerer.channels.has('chat');
}

function nameOf({ family, offerer, answerer, nats }: Row): string {
  return `IPv${String(family)}, ${offerer} behind ${nats[0]} offers, ${answerer} behind ${nats[1]} answers`;
}

function print(row: Row, outcome: string): void {
  printed.push(`${row.way.padEnd(6)} ${nameOf(row).padEnd(84)} ${outcome}`);
}

afterAll(() => {
  console.log(`seed ${String(SEED)}, ${String(LATENCY)} ms one way\n${printed.join('\n')}`);
});

describe.each(WAYS)('%s', (way) => {
  test.each(rows(way).map((row) => [nameOf(row), row] as const))('%s', (_, row) => {
    const stage = setStage(setting(row, SEED));
    const { net, offerer, answerer } = stage;
    if (!mustConnect(row)) {
      net.run({ until: () => offerer.rtc.isEmpty && answerer.rtc.isEmpty, limit: 150_000 });
      for (const { rtc } of [offerer, answerer]) expect(rtc.connectionState).toBe('failed');
      const gates = [offerer, answerer].map(({ rtc }) => rtc.inspect().closed?.gate);
      for (const gate of gates) expect(['iceConnect', 'iceConsent', 'dtlsHandshake']).toContain(gate);
      print(row, `no way: ${gates.join(', ')}`);
      return;
    }
    const connected = net.run({ until: () => isConnected(offerer) && isConnected(answerer), limit: 30_000 });
    expect(connected.reason).toBe('condition');
    const ice = connected.now - stage.describedAt;
    const opened = net.run({ until: () => isOpen(stage), limit: 30_000 });
    expect(opened.reason).toBe('condition');
    const channel = opened.now - stage.describedAt;
    net.advance(5_000);
    const pair = offerer.rtc.inspect().ice.selectedPair;
    const types = `${pair?.local.type ?? '?'} – ${pair?.remote.type ?? '?'}`;
    print(
      row,
      `${types.padEnd(15)} ICE ${(ice / ROUND_TRIP).toFixed(1)}, channel ${(channel / ROUND_TRIP).toFixed(1)} round trips`,
    );
    offerer.channels.get('chat')?.send('over');
    answerer.channels.get('chat')?.send('back');
    net.advance(1_000);
    expect([offerer.messages, answerer.messages]).toEqual([['back'], ['over']]);
    const theirs = answerer.rtc.inspect().ice.selectedPair;
    expect(theirs).toBeDefined();
    if (way === 'relay') expect([pair?.local.type, theirs?.local.type]).toContain('relay');
    else expect(types).not.toContain('relay');
    if (way === 'tcp') expect(pair?.local.protocol).toBe('tcp');
    if (way === 'host') {
      expect(ice).toBeLessThanOrEqual(ROUND_TRIP + TA);
      expect(channel).toBeLessThanOrEqual(5 * ROUND_TRIP);
    }
  });
});
