/** Every way in which one line of a description can go wrong: dropped, repeated, swapped, changed, or followed by another. */

/** Lines that say something else, or nothing that can be understood. */
const STRANGE: readonly string[] = [
  '',
  'a=',
  'x',
  'a=mid:0',
  'a=mid:__proto__',
  'a=group:BUNDLE 0 1 2',
  'a=group:BUNDLE',
  'a=setup:holdconn',
  'a=setup:active',
  'a=fingerprint:sha-256 AB',
  'a=ice-ufrag:x',
  'a=ice-pwd:0123456789012345678901',
  'a=ice-lite',
  'a=tls-id:01234567890123456789',
  'a=bundle-only',
  'a=inactive',
  'a=sctp-port:0',
  'a=sctpmap:5000 webrtc-datachannel 65535',
  'a=max-message-size:-1',
  'a=candidate:',
  'a=rtpmap:96 rtx/90000',
  'a=rtpmap:111 VP8/90000',
  'a=fmtp:96 apt=96',
  'a=extmap:1 urn:x:other',
  'a=rid:h recv',
  'a=simulcast:send l;m;h recv x',
  'a=ssrc:1 __proto__:x',
  'a=msid:- -',
  'm=application 0 UDP/DTLS/SCTP webrtc-datachannel',
  'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
  'm=video 9 UDP/TLS/RTP/SAVPF 96',
  'm=audio 0 RTP/AVP 0',
  'm=smell 9 UDP/ODOUR rose',
  'v=0',
  's=-',
];

/** A text with one line of it gone wrong. */
export interface Mutation {
  readonly what: string;
  readonly text: string;
}

/**
 * The mutations at one line.
 * @param turn which strange line it is given and followed by
 */
export function* mutationsAt(lines: readonly string[], index: number, turn: number): Generator<Mutation> {
  const line = lines[index] ?? '';
  const strange = STRANGE[turn % STRANGE.length] ?? '';
  const at = `line ${index + 1} (${line.slice(0, 40)})`;
  const having = (...put: readonly string[]): string =>
    [...lines.slice(0, index), ...put, ...lines.slice(index + 1)].join('\r\n');
  yield { what: `${at} dropped`, text: having() };
  yield { what: `${at} repeated`, text: having(line, line) };
  yield { what: `${at} cut`, text: having(line.slice(0, turn % Math.max(1, line.length))) };
  yield { what: `${at} became ${strange}`, text: having(strange) };
  yield { what: `${at} followed by ${strange}`, text: having(line, strange) };
  const digits = line.replace(/\d+/, String(turn * 7));
  if (digits !== line) yield { what: `${at} counted anew`, text: having(digits) };
  const next = lines[index + 1];
  if (next !== undefined) {
    const swapped = [...lines];
    swapped[index] = next;
    swapped[index + 1] = line;
    yield { what: `${at} swapped with the next`, text: swapped.join('\r\n') };
  }
}

/**
 * Mutations of a description.
 * @param every how many lines one is tried of; from `turn` on
 */
export function* mutationsOf(text: string, every: number, turn: number): Generator<Mutation> {
  const lines = text.split(/\r?\n/);
  for (let index = turn % every; index < lines.length; index += every)
    yield* mutationsAt(lines, index, turn + index);
}
