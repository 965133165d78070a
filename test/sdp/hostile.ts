/** Descriptions that went wrong on the way: recorded ones with lines and characters changed, repeated, cut or moved. */
import fc from 'fast-check';
import { recorded, recordedFiles } from './recorded.ts';

const edit = fc.record({
  kind: fc.constantFrom('drop', 'repeat', 'swap', 'replace', 'insert', 'cut'),
  at: fc.nat(400),
  to: fc.nat(400),
  text: fc.oneof(
    fc.string({ maxLength: 30 }),
    fc.constantFrom(
      'a=',
      'a=mid:0',
      'a=group:BUNDLE 0 1 2 3',
      'a=setup:holdconn',
      'a=setup:actpass',
      'a=fingerprint:sha-256 AB',
      'a=ice-ufrag:x',
      'a=bundle-only',
      'a=sctp-port:0',
      'a=max-message-size:-1',
      'a=candidate:',
      'm=application 0 UDP/DTLS/SCTP webrtc-datachannel',
      'm=video 9 UDP/TLS/RTP/SAVPF 96',
      'a=ssrc:1 __proto__:x',
    ),
  ),
});

export const mutatedDescription: fc.Arbitrary<string> = fc
  .tuple(fc.constantFrom(...recordedFiles), fc.array(edit, { minLength: 1, maxLength: 6 }))
  .map(([name, edits]) => {
    const lines = recorded(name).split('\r\n');
    for (const { kind, at, to, text } of edits) {
      const i = at % Math.max(1, lines.length);
      const j = to % Math.max(1, lines.length);
      const line = lines[i] ?? '';
      if (kind === 'drop') lines.splice(i, 1);
      else if (kind === 'repeat') lines.splice(j, 0, line);
      else if (kind === 'swap') [lines[i], lines[j]] = [lines[j] ?? '', line];
      else if (kind === 'replace') lines[i] = line.slice(0, to % 20) + text;
      else if (kind === 'insert') lines.splice(i, 0, text);
      else lines[i] = line.slice(0, to % (line.length + 1));
    }
    return lines.join(edits.length % 2 === 0 ? '\r\n' : '\n');
  });
