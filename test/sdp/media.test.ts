/** Media in descriptions: what each view makes of recordings, of the grammars' corners and of lines that do not read. */
import { describe, expect, test } from 'vitest';
import {
  codecLines,
  extensionLine,
  mediaCodecs,
  mediaExtensions,
  mediaRids,
  mediaSimulcast,
  mediaSourceGroups,
  mediaSources,
  mediaStreams,
  parseSdp,
  ridLine,
  simulcastLine,
  sourceGroupLine,
  sourceLines,
  streamLine,
} from '../../src/sdp/index.ts';
import type { SdpLine, SdpWarning } from '../../src/sdp/index.ts';
import { recorded, recordedFiles, valid } from './recorded.ts';

/** The attributes that have a view here and a writer. */
const WRITTEN = new Set([
  'rtpmap',
  'fmtp',
  'rtcp-fb',
  'extmap',
  'ssrc',
  'ssrc-group',
  'msid',
  'rid',
  'simulcast',
]);

function texts(lines: readonly SdpLine[]): string[] {
  return lines.map(({ text }) => text);
}

describe('recorded descriptions', () => {
  test.each(recordedFiles)('%s: every line about media is read, and written as it was', (name) => {
    const session = valid(parseSdp(recorded(name)));
    for (const media of session.media) {
      if (media.kind === 'application') continue;
      const warnings: SdpWarning[] = [];
      const simulcast = mediaSimulcast(media);
      const written = [
        ...valid(mediaCodecs(media, warnings)).flatMap(codecLines),
        ...valid(mediaExtensions(session, media, warnings)).map(extensionLine),
        ...mediaSources(media, warnings).flatMap(sourceLines),
        ...mediaSourceGroups(media, warnings).map(sourceGroupLine),
        ...mediaStreams(media, warnings).map(streamLine),
        ...mediaRids(media, warnings).map(ridLine),
        ...(simulcast === undefined ? [] : [simulcastLine(valid(simulcast))]),
      ];
      expect(warnings).toEqual([]);
      const came = media.lines.filter(({ text }) => WRITTEN.has(text.split(':', 1)[0] ?? ''));
      expect(texts(written).sort()).toEqual(texts(came).sort());
    }
  });
});
