import { describe, expect, test } from 'vitest';
import type { ExtensionTable } from '../../src/negotiation/extensions.ts';
import {
  answeredExtensions,
  DEFAULT_HEADER_EXTENSIONS,
  matchAnsweredExtensions,
  MID_EXTENSION,
  NO_EXTENSIONS,
  noteAgreedExtensions,
  noteExtensions,
  offeredExtensions,
  receivedExtensions,
  REPAIRED_RID_EXTENSION,
  RID_EXTENSION,
  sentExtensions,
} from '../../src/negotiation/extensions.ts';
import type { Direction, SdpError, SdpExtension } from '../../src/sdp/index.ts';
import { isSdpError } from '../../src/sdp/index.ts';

const { audio, video } = DEFAULT_HEADER_EXTENSIONS;
const LEVEL = 'urn:ietf:params:rtp-hdrext:ssrc-audio-level';

function extension(id: number, uri: string, direction?: Direction): SdpExtension {
  return { id, uri, direction, attributes: undefined };
}

function valid<T>(value: T | SdpError): T {
  if (isSdpError(value)) throw new Error(value.message);
  return value;
}

function manyUris(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `urn:x:${index}`);
}

describe('rtp-headerextensions', () => {
  test('mid, level, orientation, rid and repaired rid are offered', () => {
    expect(audio).toEqual(expect.arrayContaining([MID_EXTENSION, LEVEL]));
    expect(video).toEqual(
      expect.arrayContaining([
        MID_EXTENSION,
        RID_EXTENSION,
        REPAIRED_RID_EXTENSION,
        'urn:3gpp:video-orientation',
      ]),
    );
    expect(audio).not.toContain(RID_EXTENSION);
  });

  test('one table serves audio and video: what both have has one number', () => {
    const first = offeredExtensions(audio, NO_EXTENSIONS);
    const second = offeredExtensions(video, first.table);
    expect(first.extensions.map(({ id }) => id)).toEqual(audio.map((_, index) => index + 1));
    const numbers = new Map(first.extensions.map(({ uri, id }) => [uri, id]));
    for (const { uri, id } of second.extensions) expect(id).toBe(numbers.get(uri) ?? id);
    expect(second.extensions.every(({ id }) => id >= 1 && id <= 14)).toBe(true);
    expect(valid(noteExtensions(NO_EXTENSIONS, [first.extensions, second.extensions]))).toHaveLength(
      second.table.length,
    );
    expect(offeredExtensions(video, second.table)).toEqual(second);
  });

  test('numbers stay within what the peer takes: 1 to 14, or to 255 without 15', () => {
    const ids = (allowsMixed: boolean): number[] =>
      offeredExtensions(manyUris(300), NO_EXTENSIONS, allowsMixed).extensions.map(({ id }) => id);
    expect(ids(false)).toEqual(Array.from({ length: 14 }, (_, index) => index + 1));
    expect(ids(true)).toHaveLength(254);
    expect(ids(true)).not.toContain(15);
    expect(Math.max(...ids(true))).toBe(255);
  });

  test('a URI that is listed twice is offered once', () => {
    expect(offeredExtensions([LEVEL, LEVEL], NO_EXTENSIONS).extensions).toEqual([{ id: 1, uri: LEVEL }]);
  });

  test('a number that has meant something is given to nothing else', () => {
    const { table } = offeredExtensions(['urn:a', 'urn:b'], NO_EXTENSIONS);
    expect(offeredExtensions(['urn:c', 'urn:b'], table).extensions).toEqual([
      { id: 3, uri: 'urn:c' },
      { id: 2, uri: 'urn:b' },
    ]);
  });
});

describe('rtp-extension-support', () => {
  test('those that both have are answered under the numbers of the offer; unsupported ones are left out', () => {
    const offer = [extension(9, MID_EXTENSION), extension(3, 'urn:none'), extension(5, LEVEL)];
    expect(answeredExtensions(audio, offer)).toEqual([
      { id: 9, uri: MID_EXTENSION, direction: undefined },
      { id: 5, uri: LEVEL, direction: undefined },
    ]);
  });

  test('directions are seen from this end, and say what may be sent and what may come', () => {
    const offer = [
      extension(1, 'urn:a', 'sendonly'),
      extension(2, 'urn:b', 'recvonly'),
      extension(3, 'urn:c', 'sendrecv'),
      extension(4, 'urn:d', 'inactive'),
      extension(5, 'urn:e'),
    ];
    const agreed = answeredExtensions(['urn:e', 'urn:d', 'urn:c', 'urn:b', 'urn:a'], offer);
    expect(agreed.map(({ direction }) => direction)).toEqual([
      'recvonly',
      'sendonly',
      'sendrecv',
      'inactive',
      undefined,
    ]);
    expect(sentExtensions(agreed).map(({ id }) => id)).toEqual([2, 3, 5]);
    expect(receivedExtensions(agreed).map(({ id }) => id)).toEqual([1, 3, 5]);
  });

  test('a URI that is offered twice is answered once; numbers that packets cannot have are passed over', () => {
    const offer = [extension(15, LEVEL), extension(256, LEVEL), extension(7, LEVEL), extension(8, LEVEL)];
    expect(answeredExtensions(audio, offer)).toEqual([{ id: 7, uri: LEVEL, direction: undefined }]);
  });

  test('an answer leaves a subset, in our order', () => {
    const offered = offeredExtensions(['urn:a', 'urn:b', 'urn:c'], NO_EXTENSIONS).extensions;
    const answer = [extension(3, 'urn:c', 'sendonly'), extension(9, 'urn:none'), extension(1, 'urn:a')];
    expect(matchAnsweredExtensions(offered, answer)).toEqual([
      { id: 1, uri: 'urn:a', direction: undefined },
      { id: 3, uri: 'urn:c', direction: 'recvonly' },
    ]);
    expect(matchAnsweredExtensions(offered, [])).toEqual([]);
  });

  test('an answer that moves an extension, or gives its number away, is refused', () => {
    const offered = offeredExtensions(['urn:a', 'urn:b'], NO_EXTENSIONS).extensions;
    expect(matchAnsweredExtensions(offered, [extension(2, 'urn:a')])).toMatchObject({
      code: 'extension-remapped',
    });
    expect(matchAnsweredExtensions(offered, [extension(2, 'urn:none')])).toMatchObject({
      code: 'extension-conflict',
    });
  });

  test('two extensions under one number in one BUNDLE group conflict', () => {
    const sections = [[{ id: 1, uri: 'urn:a' }], [{ id: 1, uri: 'urn:b' }]];
    expect(noteExtensions(NO_EXTENSIONS, sections)).toMatchObject({ code: 'extension-conflict' });
  });

  test('a number that was agreed on never means another extension later', () => {
    const table: ExtensionTable = noteAgreedExtensions(NO_EXTENSIONS, [[{ id: 1, uri: 'urn:a' }]]);
    expect(noteExtensions(table, [[{ id: 1, uri: 'urn:b' }]])).toMatchObject({ code: 'extension-remapped' });
    expect(noteExtensions(table, [[{ id: 1, uri: 'urn:a' }]])).toEqual(table);
  });

  test('a number that was offered, by either end, and not taken may mean another one', () => {
    const offered = offeredExtensions(['urn:a', 'urn:b'], NO_EXTENSIONS).table;
    const agreed = noteAgreedExtensions(offered, [[{ id: 1, uri: 'urn:a' }]]);
    const theirs = valid(noteExtensions(agreed, [[{ id: 2, uri: 'urn:c' }]]));
    expect(offeredExtensions(['urn:a', 'urn:b', 'urn:c'], theirs).extensions).toEqual([
      { id: 1, uri: 'urn:a' },
      { id: 3, uri: 'urn:b' },
      { id: 2, uri: 'urn:c' },
    ]);
    expect(isSdpError(noteExtensions(theirs, [[{ id: 2, uri: 'urn:d' }]]))).toBe(false);
  });

  test('an extension may have another number later, and is offered under that', () => {
    const before = noteAgreedExtensions(NO_EXTENSIONS, [[{ id: 1, uri: 'urn:a' }]]);
    const after = valid(noteExtensions(before, [[{ id: 4, uri: 'urn:a' }]]));
    expect(offeredExtensions(['urn:a', 'urn:b'], after).extensions).toEqual([
      { id: 4, uri: 'urn:a' },
      { id: 2, uri: 'urn:b' },
    ]);
    const again = valid(noteExtensions(after, [[{ id: 1, uri: 'urn:a' }]]));
    expect(offeredExtensions(['urn:a'], again).extensions).toEqual([{ id: 1, uri: 'urn:a' }]);
  });

  test('the table has one entry a number, however often it is noted', () => {
    let table = NO_EXTENSIONS;
    for (let round = 0; round < 50; round++) {
      table = valid(noteExtensions(table, [[{ id: 1, uri: `urn:${round}` }]]));
    }
    expect(table).toHaveLength(1);
    for (let round = 0; round < 3; round++) {
      table = noteAgreedExtensions(table, [[{ id: 1, uri: 'urn:a' }], [{ id: 1, uri: 'urn:a' }]]);
    }
    expect(table).toEqual([{ id: 1, uri: 'urn:a', isAgreed: true }]);
  });
});
