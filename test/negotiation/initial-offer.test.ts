/** The first offer of a session, line by line (RFC 9429 §5.2.1). */
import { describe, expect, test } from 'vitest';
import type { MediaDescription } from '../../src/sdp/index.ts';
import { prepareOffer } from '../../src/negotiation/index.ts';
import { attributes, parseSdp } from '../../src/sdp/index.ts';
import { valid } from '../sdp/recorded.ts';
import { LOCAL_A, newState } from './ends.ts';
import { addition } from './peer-description.ts';

const media = [addition('audio', 0, { streams: ['s'] }), addition('video', 2, { direction: 'recvonly' })];
const { sdp, mid, mLineIndex } = prepareOffer(newState(), LOCAL_A, { media, data: true });
const session = valid(parseSdp(sdp));
const [audio, video, data] = session.media;
const valuesOf = (section: MediaDescription | undefined, name: string): readonly string[] =>
  attributes(section?.lines ?? [], name).map(({ value }) => value);

describe('the session', () => {
  test('v=0, an origin that tells nothing, s=-, t=0 0', () => {
    expect(sdp.split('\r\n').slice(0, 4)).toEqual([
      'v=0',
      'o=- 4611686018427387904 1 IN IP4 127.0.0.1',
      's=-',
      't=0 0',
    ]);
    const id = BigInt(session.origin.sessionId);
    expect(id < 2n ** 63n - 1n).toBe(true);
    for (const type of ['i', 'u', 'e', 'p', 'k', 'r', 'z'])
      expect(
        [...session.lines, ...session.media.flatMap(({ lines }) => lines)].map((line) => line.type),
      ).not.toContain(type);
  });

  test('one BUNDLE group of all sections, the tag first', () => {
    expect(attributes(session.lines, 'group').map(({ value }) => value)).toEqual(['BUNDLE 0 1 2']);
    expect([mid, mLineIndex]).toEqual(['0', 0]);
  });

  test('nothing of what RFC 8827 forbids, and nothing lite', () => {
    for (const name of ['crypto', 'key-mgmt', 'ice-lite', 'identity']) expect(sdp).not.toContain(`a=${name}`);
  });
});

describe('sections', () => {
  test('media in the order in which they were added, data channels behind', () => {
    expect(session.media.map(({ kind }) => kind)).toEqual(['audio', 'video', 'application']);
    expect(session.media.map(({ protocol }) => protocol)).toEqual([
      'UDP/TLS/RTP/SAVPF',
      'UDP/TLS/RTP/SAVPF',
      'UDP/DTLS/SCTP',
    ]);
  });

  test('each with a c= line first, a mid of three characters at the most, ICE, a digest and actpass', () => {
    for (const section of session.media) {
      expect(section.lines[0]?.type).toBe('c');
      expect(valuesOf(section, 'mid')[0]).toMatch(/^[A-Za-z0-9]{1,3}$/);
      expect(valuesOf(section, 'ice-ufrag')).toEqual([LOCAL_A.ice.usernameFragment]);
      expect(valuesOf(section, 'ice-options')[0]).toMatch(/\btrickle\b/);
      expect(valuesOf(section, 'fingerprint')).toHaveLength(1);
      expect(valuesOf(section, 'setup')).toEqual(['actpass']);
    }
  });

  test('RTP: the mandatory codecs, RTCP on the same path, reduced, and what retransmits', () => {
    expect(valuesOf(audio, 'rtpmap').join()).toMatch(/opus\/48000\/2.*PCMU\/8000.*PCMA\/8000|PCMU/);
    expect(valuesOf(video, 'rtpmap').join()).toMatch(/VP8\/90000.*H264\/90000/);
    for (const section of [audio, video]) {
      expect(valuesOf(section, 'rtcp-mux')).toHaveLength(1);
      expect(valuesOf(section, 'rtcp-mux-only')).toHaveLength(1);
      expect(valuesOf(section, 'rtcp-rsize')).toHaveLength(1);
      expect(valuesOf(section, 'rtpmap')).toHaveLength(section?.formats.length ?? 0);
    }
    expect(valuesOf(audio, 'sendrecv')).toHaveLength(1);
    expect(valuesOf(video, 'recvonly')).toHaveLength(1);
    const apts = valuesOf(video, 'fmtp').flatMap((value) => /apt=(\d+)/.exec(value)?.[1] ?? []);
    expect(apts.length).toBeGreaterThan(0);
    for (const apt of apts) expect(video?.formats).toContain(apt);
  });

  test('data channels: exactly so', () => {
    expect(`${data?.kind} ${data?.port} ${data?.protocol} ${data?.formats.join(' ')}`).toBe(
      'application 5001 UDP/DTLS/SCTP webrtc-datachannel',
    );
    expect(valuesOf(data, 'sctp-port')).toEqual(['5000']);
    expect(valuesOf(data, 'max-message-size')).toEqual(['262144']);
    expect(valuesOf(data, 'sctpmap')).toEqual([]);
  });

  test('no direction where nothing has one', () => {
    for (const direction of ['sendrecv', 'sendonly', 'recvonly', 'inactive'])
      expect(valuesOf(data, direction)).toEqual([]);
  });
});

describe('before there are candidates', () => {
  const bare = { ...LOCAL_A, candidates: [], endOfCandidates: false };
  test('port 9 and no address', () => {
    const early = valid(parseSdp(prepareOffer(newState(), bare, { media, data: true }).sdp));
    for (const { port, lines } of early.media) expect([port, lines[0]?.text]).toEqual([9, 'IN IP4 0.0.0.0']);
    expect(early.media.flatMap(({ lines }) => attributes(lines, 'end-of-candidates'))).toEqual([]);
  });
});

describe('versions', () => {
  test('grow with every description, rolled back or not, and the session stays', () => {
    const first = prepareOffer(newState(), LOCAL_A);
    const second = prepareOffer(first.next, LOCAL_A);
    const origins = [first.sdp, second.sdp].map((text) => valid(parseSdp(text)).origin);
    expect(origins.map(({ sessionVersion }) => sessionVersion)).toEqual(['1', '2']);
    expect(new Set(origins.map(({ sessionId }) => sessionId)).size).toBe(1);
  });
});
