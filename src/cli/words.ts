/** Words: failures, durations and paths as people say them, and what to try about each way a connection ends. */
import { isOrderly, type Failure } from '../core/errors.ts';
import { formatAddress } from '../core/address.ts';
import type { RtcInspection } from '../rtc.ts';

/**
 * What to try, by `layer code`; docs/guides/debugging.md has the same in a table. What stands nowhere here ends by itself
 * or says all there is to say.
 */
const ADVICE: Readonly<Record<string, string>> = {
  'rtc signaling-timeout':
    "The other side's description never reached this side. Check that your signalling delivers the answer, and that nothing refused it.",
  'rtc path-down':
    'The path was lost and did not come back. Restart ICE when a network changes, or connect again.',
  'rtc path-taken-over':
    'Another connection of this host uses the same two addresses. Give each connection a socket of its own, or turn on DTLS connection ids.',
  'ice connect-timeout':
    'No two addresses reached each other. Check that each side offers an address that the other can reach (behind a 1:1 NAT, announce the public one), that firewalls let UDP through both ways, and whether this client needs a TURN server.',
  'ice consent-expired':
    'The other side stopped answering: it is gone, frozen, or its network is. If many end at once, look at your own network and at driver.stats().',
  'dtls role-conflict-both-active':
    "Both sides act as the DTLS client. Signalling has changed a=setup, or the other side ignores it. An answer must say active or passive, and each side must apply the other's description.",
  'dtls role-conflict-both-passive':
    "Both sides wait to be the DTLS server. Signalling has changed a=setup, or the other side ignores it. An answer must say active or passive, and each side must apply the other's description.",
  'dtls no-response':
    'ICE works but nothing answers the DTLS handshake. Either the other side never started it, or something drops larger datagrams.',
  'dtls no-client-hello':
    'ICE works but the other side never began the DTLS handshake. Check that it applied the answer and that its a=setup is the opposite of ours.',
  'dtls handshake-timeout':
    'The DTLS handshake stood still. Larger datagrams may be dropped on the way, or this host dropped them: compare kernelDrops of driver.stats().',
  'dtls fingerprint-mismatch':
    'The certificate is not the one the description announced. Descriptions of two connections were mixed up, or somebody sits in between. Do not retry silently.',
  'dtls alert-received':
    'The other side refused the handshake; its trace says why. With bad_certificate the a=fingerprint that it was told is not that of our certificate.',
  'dtls fingerprint-missing':
    'The description has no usable a=fingerprint. Check that signalling passes descriptions on unchanged.',
  'sctp connect-timeout':
    'DTLS works but SCTP gets no answer. The other side may have no data channel section, or uses another sctp-port.',
  'sctp data-timeout':
    'Data was sent and never acknowledged. The path broke in one direction, or it has become narrower than our packets.',
  'sctp peer-unresponsive': 'The other side is gone or frozen. Let the client connect again.',
  'sctp zero-window-timeout':
    'The application on the other side does not read what it gets. Send less, and watch bufferedAmount.',
  'sctp reader-stalled': 'This side does not take what has arrived. Resume reading, or drain the events.',
};

/** What to try about a failure, if there is something. */
export function adviceFor(failure: Failure): string | undefined {
  return ADVICE[`${failure.layer} ${failure.code}`];
}

/** Why something ended: its words, code and deadline in one line. */
export function describeFailure(failure: Failure): string {
  const { layer, code, message, gate, elapsed, peerSilentFor } = failure;
  if (code === 'local-close') return 'closed by this side';
  if (code === 'remote-close') return 'closed by the other side';
  const deadline =
    gate === undefined
      ? ''
      : `; deadline "${gate}"${elapsed === undefined ? '' : ` after ${duration(elapsed)}`}${
          peerSilentFor === undefined ? '' : `, last word from the other side ${duration(peerSilentFor)} ago`
        }`;
  return `${message} (${layer} ${code}${deadline})`;
}

/** True for the end that one of the two sides has asked for. */
export function isGoodEnd(failure: Failure): boolean {
  return isOrderly(failure);
}

/** `0.42 ms`, `34 ms`, `8.2 s`, `3 min 5 s`. */
export function duration(ms: number): string {
  if (ms < 10) return `${ms.toFixed(2)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}

/** `1 message`, `2 messages`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** `UDP 127.0.0.1:5000 (host) to 127.0.0.1:6000 (host), DTLS 1.3 as client`. */
export function describePath({ ice, dtls }: RtcInspection): string {
  // Before the nomination, data goes over the best pair that works.
  const pair = ice.selectedPair ?? ice.pairs.find(({ valid }) => valid);
  if (pair === undefined) return 'no path';
  const { local, remote } = pair;
  const end = (one: { type: string; address: string; port: number }): string =>
    `${formatAddress(one)} (${one.type})`;
  const version = dtls === null ? undefined : DTLS_VERSIONS[dtls.tlsVersion ?? ''];
  const secured = version === undefined ? '' : `, DTLS ${version} as ${dtls?.role ?? '?'}`;
  return `${local.protocol.toUpperCase()} ${end(local)} to ${end(remote)}${secured}`;
}

const DTLS_VERSIONS: Readonly<Record<string, string>> = { FEFC: '1.3', FEFD: '1.2' };

/** `2 host, 1 srflx`. */
export function describeCandidates(candidates: readonly { readonly type: string }[]): string {
  const counts = new Map<string, number>();
  for (const { type } of candidates) counts.set(type, (counts.get(type) ?? 0) + 1);
  return [...counts].map(([type, count]) => `${count} ${type}`).join(', ') || 'none';
}

/** What somebody else has written must not steer this terminal, nor fill it. */
export function printable(text: string, most = 200): string {
  const shown = text.length > most ? `${text.slice(0, most)}…` : text;
  return shown.replaceAll(/[\p{Cc}\p{Cf}]/gu, '\ufffd');
}
