/**
 * A path that can be cut, with the library at its far end: a network namespace of the library's own and a pair of virtual
 * Ethernet devices, or, where no namespace can be made (root and iproute2 are needed), a relay in user space that stands in the
 * descriptions and drops. `WIRE=relay` asks for the latter anywhere.
 */
import { execFileSync } from 'node:child_process';
import { Host } from '../browser/host.ts';
import { bundled } from '../node/program.ts';
import { startProcess } from './child-process.ts';
import type { ForeignPeer } from './contract.ts';
import { DroppingRelay } from './dropping-relay.ts';
import { SansrtcPeers } from './sansrtc-peers.ts';

/** Of the near end, where the browser is, and of the far one (RFC 2544 has these addresses for tests). */
const NEAR = '198.18.78.1';
const FAR = '198.18.78.2';

const CANDIDATES = /^a=(?:candidate:.*|end-of-candidates)\r\n/gm;
const UDP_CANDIDATES = /^a=candidate:\S+ 1 udp .*\r\n/gim;

export interface Wire {
  /** Which of the two it is, for the output. */
  readonly kind: 'network namespace' | 'relay in user space';
  /** The library at the far end. */
  readonly library: ForeignPeer;
  /** What the other side gets to see of a description. @param isOurs whether it is the library's */
  carry(sdp: string, isOurs: boolean): string;
  /** From now on every datagram is lost, and nobody is told. */
  cut(): void;
  mend(): void;
  /** From now on UDP does not pass, and TCP does. */
  blockUdp(): void;
  close(): Promise<void>;
}

export async function layWire(): Promise<Wire> {
  const obstacle = process.env['WIRE'] === 'relay' ? 'asked for' : makeNamespace();
  const wire = obstacle === undefined ? await wireIntoNamespace() : await wireThroughRelay();
  console.log(`the path: ${wire.kind}${obstacle === undefined ? '' : ` (${obstacle})`}`);
  return wire;
}

const namespace = `sansrtc-${process.pid}`;
const device = `srtc${process.pid % 1_000_000}`;

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: 'pipe' });
}

/** @returns why it is impossible here, if it is */
function makeNamespace(): string | undefined {
  try {
    ip('netns', 'add', namespace);
    ip('link', 'add', device, 'type', 'veth', 'peer', 'name', 'wire', 'netns', namespace);
    ip('address', 'add', `${NEAR}/30`, 'dev', device);
    ip('-n', namespace, 'address', 'add', `${FAR}/30`, 'dev', 'wire');
    ip('link', 'set', device, 'up');
    ip('-n', namespace, 'link', 'set', 'wire', 'up');
    ip('-n', namespace, 'link', 'set', 'lo', 'up');
    return undefined;
  } catch (error) {
    removeNamespace();
    return (error as Error).message.trim();
  }
}

function removeNamespace(): void {
  for (const what of [
    ['link', 'del', device],
    ['netns', 'del', namespace],
  ]) {
    try {
      ip(...what);
    } catch {
      // It was not there, or went with the other.
    }
  }
}

async function wireIntoNamespace(): Promise<Wire> {
  const file = await bundled(new URL('sansrtc/main.ts', import.meta.url));
  const inside = ['netns', 'exec', namespace, process.execPath, file, FAR];
  const running = await startProcess('ip', inside);
  const discard = (action: 'replace' | 'del'): void => {
    for (const args of [
      ['qdisc', action, 'dev', device, 'root', 'blackhole'],
      ['-n', namespace, 'qdisc', action, 'dev', 'wire', 'root', 'blackhole'],
    ])
      execFileSync('tc', args, { stdio: 'pipe' });
  };
  return {
    kind: 'network namespace',
    library: running.peer,
    carry: (sdp) => sdp,
    cut: () => discard('replace'),
    mend: () => discard('del'),
    blockUdp: () => ip('-n', namespace, 'rule', 'add', 'pref', '1', 'ipproto', 'udp', 'blackhole'),
    async close() {
      await running.stop();
      removeNamespace();
    },
  };
}

async function wireThroughRelay(): Promise<Wire> {
  const host = await Host.listen({ tcp: {} });
  const relay = await DroppingRelay.open();
  let isUdpBlocked = false;
  return {
    kind: 'relay in user space',
    library: new SansrtcPeers(host).peer,
    carry(sdp, isOurs) {
      if (isUdpBlocked) return sdp.replaceAll(UDP_CANDIDATES, '');
      return isOurs ? relay.inFrontOf(sdp) : sdp.replaceAll(CANDIDATES, '');
    },
    // It carries UDP alone: where that must not pass, nobody is to know of any address to send it to.
    blockUdp: () => (isUdpBlocked = true),
    cut: () => (relay.isDropping = true),
    mend: () => (relay.isDropping = false),
    async close() {
      relay.close();
      await host.close();
    },
  };
}
