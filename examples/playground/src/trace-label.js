/** What a datagram of a trace is, in a line: its summary, shortened, or what was encrypted in it. */

/** Characters that a label may have. */
const LONGEST = 140;

/**
 * @param summary of the datagram
 * @param inside summaries of the packets that are encrypted in it
 */
export function traceLabel(summary, inside) {
  const isStun = summary.startsWith('STUN ');
  const text = inside.length > 0 ? inside.map(shortSctp).join(' + ') : isStun ? shortStun(summary) : summary;
  return { kind: kindOf(summary, inside), text: shortened(text), detail: [summary, ...inside].join('\n') };
}

function kindOf(summary, inside) {
  if (inside.length > 0) return inside[0].startsWith('SCTP') ? 'sctp' : 'media';
  if (summary.startsWith('STUN ')) return 'stun';
  if (summary.startsWith('DTLS')) return 'dtls';
  return summary.startsWith('SRT') ? 'media' : 'other';
}

/** What an acknowledgement says of its window and of gaps may fill lines. */
export function shortSctp(summary) {
  return summary
    .replace(/^SCTP /, '')
    .replaceAll(/ window \d+( streams \S+)?/g, '')
    .replaceAll(/ gaps((?: \d+[–-]\d+| …)+)/g, (_, gaps) => `, gaps ${gaps.trim().split(' ').length}`);
}

/** Of a STUN message's attributes, those that make a difference at a glance. */
function shortStun(summary) {
  return summary.match(/^STUN \S+ \S+|USE-CANDIDATE|ERROR-CODE \d+/g)?.join(' ') ?? summary;
}

function shortened(text) {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}
