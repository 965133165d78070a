/** use_srtp (RFC 5764 §4.1), in both versions: what is agreed on for media, on connections for data alone too. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DtlsVersion } from '../../src/dtls/index.ts';
import type { Extension } from '../../src/dtls/messages/extensions.ts';
import { ExtensionType } from '../../src/dtls/messages/extensions.ts';
import type { SrtpProfile } from '../../src/dtls/srtp.ts';
import {
  DEFAULT_SRTP_PROFILES,
  chooseSrtpProfile,
  readSrtpChoice,
  srtpExtensions,
} from '../../src/dtls/srtp.ts';
import { Pair } from './pair.ts';

const GCM: SrtpProfile = 'SRTP_AEAD_AES_128_GCM';
const SHA1_80: SrtpProfile = 'SRTP_AES128_CM_HMAC_SHA1_80';

type Agreement = readonly [
  client: readonly SrtpProfile[] | undefined,
  server: readonly SrtpProfile[] | undefined,
  agreed: SrtpProfile | null,
];

const AGREEMENTS: readonly Agreement[] = [
  [undefined, undefined, GCM],
  [[SHA1_80, GCM], [GCM, SHA1_80], GCM],
  [[SHA1_80], undefined, SHA1_80],
  [undefined, [SHA1_80], SHA1_80],
  [[GCM], [SHA1_80], null],
  [[], undefined, null],
  [undefined, [], null],
];

describe.each(['1.2', '1.3'] as const)('in DTLS %s', (version: DtlsVersion) => {
  it.each(AGREEMENTS)('the client has %o, the server %o: %s', (client, server, agreed) => {
    const versions = { min: version, max: version };
    const pair = new Pair({
      client: { versions, srtpProfiles: client },
      server: { versions, srtpProfiles: server },
    });
    pair.start().run();
    expect(pair.connected).toBe(true);
    expect([pair.client.inspect().srtpCipher, pair.server.inspect().srtpCipher]).toEqual([agreed, agreed]);
    const keys = pair.client.exportKeyingMaterial('EXTRACTOR-dtls_srtp', 56);
    expect(pair.server.exportKeyingMaterial('EXTRACTOR-dtls_srtp', 56)).toEqual(keys);
  });
});

function extension(...data: readonly number[]): readonly Extension[] {
  return [{ type: ExtensionType.useSrtp, data: Uint8Array.from(data) }];
}

describe('what the server reads', () => {
  it("takes the first of its own, whatever the client prefers; Firefox's and Chromium's lists", () => {
    const firefox = extension(0, 8, 0, 7, 0, 8, 0, 1, 0, 2, 0);
    const chromium = extension(0, 6, 0, 1, 0, 8, 0, 7, 0);
    expect(chooseSrtpProfile(DEFAULT_SRTP_PROFILES, firefox)).toBe(GCM);
    expect(chooseSrtpProfile([SHA1_80, GCM], firefox)).toBe(SHA1_80);
    expect(chooseSrtpProfile(DEFAULT_SRTP_PROFILES, chromium)).toBe(GCM);
  });

  it('a key identifier (MKI) is not used, and no reason to refuse', () => {
    expect(chooseSrtpProfile(DEFAULT_SRTP_PROFILES, extension(0, 2, 0, 7, 2, 9, 9))).toBe(GCM);
  });

  it.each([
    ['nothing', []],
    ['no profiles', [0, 0, 0]],
    ['half a profile', [0, 1, 7, 0]],
    ['no key identifier', [0, 2, 0, 7]],
    ['a key identifier cut short', [0, 2, 0, 7, 4, 1]],
    ['something behind', [0, 2, 0, 7, 0, 0]],
  ])('%s is malformed', (_what, data) => {
    const offered = extension(...data);
    expect(chooseSrtpProfile(DEFAULT_SRTP_PROFILES, offered)).toMatchObject({ code: 'malformed-message' });
  });

  it('any bytes are a profile, none, or malformed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (data) => {
        const read = chooseSrtpProfile(DEFAULT_SRTP_PROFILES, [{ type: ExtensionType.useSrtp, data }]);
        expect(typeof read === 'object' ? read.code : (read ?? GCM)).toMatch(/^SRTP_|malformed-message/);
      }),
    );
  });
});

describe('what the client reads', () => {
  it('its own offer of one is the answer', () => {
    for (const profile of DEFAULT_SRTP_PROFILES) {
      expect(readSrtpChoice(DEFAULT_SRTP_PROFILES, srtpExtensions([profile]))).toBe(profile);
    }
    expect(readSrtpChoice(DEFAULT_SRTP_PROFILES, [])).toBeUndefined();
  });

  it.each([
    ['two profiles', [0, 4, 0, 7, 0, 1, 0]],
    ['one that was not offered', [0, 2, 0, 8, 0]],
    ['a key identifier that was not offered', [0, 2, 0, 7, 1, 1]],
  ])('%s is illegal', (_what, data) => {
    const answered = extension(...data);
    expect(readSrtpChoice(DEFAULT_SRTP_PROFILES, answered)).toMatchObject({ code: 'illegal-parameter' });
  });
});
