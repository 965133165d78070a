/**
 * The table of docs/deadlines.md, from the code's own constants: a gate that is added, renamed or given another default
 * changes it. `UPDATE_DOCS=1 npx vitest run --project unit test/tooling/deadlines.test.ts` writes it.
 */
import { DEFAULT_CHANNEL_GATES } from '../src/channel/index.ts';
import type { ChannelGateName } from '../src/channel/index.ts';
import { selfSignedCertificate } from '../src/dtls/index.ts';
import { configure } from '../src/dtls/options.ts';
import { gatherSettings } from '../src/gather/options.ts';
import { jsCrypto } from '../src/crypto/index.ts';
import { SeededRandom } from '../src/core/random.ts';
import { iceSettings } from '../src/ice/options.ts';
import { receiveSettings } from '../src/media/receive/options.ts';
import { sendSettings } from '../src/media/send/options.ts';
import { turnSettings } from '../src/turn/options.ts';
import { DEFAULT_SCTP_GATES } from '../src/sctp/index.ts';
import type { SctpGateName } from '../src/sctp/index.ts';
import { DEFAULT_CONNECTION_GATES } from '../src/rtc/gates.ts';

import { DEFAULT_MDNS_TIMEOUT } from '../src/node/local-names.ts';
import { DEFAULT_LOOKUP_TIMEOUT } from '../src/node/name-resolver.ts';
import { DEFAULT_STREAM_CONNECT_TIMEOUT } from '../src/node/server-streams.ts';
import { DEFAULT_TCP_CONNECT_TIMEOUT } from '../src/node/tcp-dialer.ts';

interface Row {
  readonly armed: string;
  readonly expiry: string;
}

const SCTP: Readonly<Record<SctpGateName, Row>> = {
  sctpConnect: { armed: 'INIT or COOKIE ECHO is unanswered', expiry: '`closed`' },
  dataProgress: {
    armed: 'data is outstanding or queued and nothing is newly acknowledged',
    expiry: 'ABORT, `closed`',
  },
  zeroWindow: { armed: "the peer's window is shut while its SACKs still come", expiry: 'ABORT, `closed`' },
  streamReset: {
    armed: 'a stream\'s reset is unanswered, or answered "in progress"',
    expiry: 'the request ends, the stream goes on as it was',
  },
  peerLiveness: { armed: 'established and idle, heartbeats unanswered', expiry: 'ABORT, `closed`' },
  reassembly: {
    armed: 'a gap, an incomplete message or one out of turn makes no progress',
    expiry: 'a missing TSN: ABORT, `closed`; else `channelerror`, the connection lives',
  },
  readerStalled: {
    armed: 'the receive window is full of messages that the host does not take, or has paused',
    expiry: 'ABORT, `closed`; what has arrived is given out first',
  },
  shutdown: {
    armed: 'graceful close of an association; 10 s once everything is delivered',
    expiry: 'ABORT, `closed`',
  },
};

const CHANNEL: Readonly<Record<ChannelGateName, Row>> = {
  openAck: {
    armed: "a channel's OPEN is neither acknowledged nor answered by data",
    expiry: '`channelerror`, the connection lives',
  },
  inboundOpen: {
    armed: 'a stream on which something has come: its OPEN, or our negotiated channel of that id, does not',
    expiry: 'the stream is reset',
  },
  closeDrain: { armed: '`channel.close()` with data still queued', expiry: 'the rest is discarded' },
  streamReset: {
    armed: 'a channel closes, and one of its two resets is missing',
    expiry: 'the channel closes, its id is not used again',
  },
  reassembly: {
    armed: 'a message in deprecated partial pieces gets no further piece',
    expiry: '`channelerror`, the connection lives',
  },
};

/** What a driver for Node waits for, by its own options. */
const DRIVER = [
  [
    'nameLookup',
    'a driver looks up the name of a server, or waits for its turn',
    DEFAULT_LOOKUP_TIMEOUT,
    'it does not resolve',
    'dns.timeout',
  ],
  [
    'mdnsLookup',
    'a driver has asked its link for a `.local` name',
    DEFAULT_MDNS_TIMEOUT,
    'it does not resolve',
    'mdns.timeout',
  ],
  [
    'streamConnect',
    'a stream to a TURN server is connecting, or in its TLS handshake',
    DEFAULT_STREAM_CONNECT_TIMEOUT,
    'it is closed, and its reason told',
    'streams.connectTimeout',
  ],
  [
    'tcpConnect',
    'a connection of an active TCP candidate is connecting',
    DEFAULT_TCP_CONNECT_TIMEOUT,
    'it is given up; its pair fails by its own time',
    'tcp.connectTimeout',
  ],
] as const;

/** Markdown, one row a gate. */
export function gateTable(): string {
  const crypto = jsCrypto();
  const random = new SeededRandom(1);
  const ice = iceSettings({ crypto, random, role: 'controlling' });
  const certificate = selfSignedCertificate({ random, crypto });
  const { handshakeTimeout } = configure({ role: 'client', certificate, crypto, random });
  const gathering = gatherSettings({ crypto, random });
  const turn = turnSettings({
    crypto,
    random,
    transport: 'udp',
    server: { address: '192.0.2.1', port: 3478 },
    credentials: { username: 'user', password: '' },
  });
  const rows = [
    [
      'gathering',
      'a STUN server, a TURN server over UDP, or the name of a server has not answered',
      gathering.gatherTimeout,
      '`icecandidateerror`, the rest stands',
      'gatherTimeout',
    ],
    [
      'gathering',
      'a TURN server over TCP or TLS has not answered',
      gathering.gatherStreamTimeout,
      'the same',
      'gatherStreamTimeout',
    ],
    [
      'turnRequest',
      'a request to a TURN server is unanswered, over UDP repeated meanwhile',
      turn.requestTimeout,
      'no allocation: `failed`; one that is there is asked for again until `relayRefresh`',
      'requestTimeout',
    ],
    [
      'turnAllocate',
      'a TURN client has asked for an allocation; challenges, redirects and other 5-tuples included',
      turn.allocateTimeout,
      '`failed`',
      'allocateTimeout',
    ],
    [
      'relayRefresh',
      'a TURN server has granted an allocation, and does not renew it; its lifetime',
      turn.lifetime,
      '`lost`: the relayed addresses are gone',
      'lifetime',
    ],
    [
      'turnFarewell',
      'a TURN client gives its allocation back, and the server does not confirm',
      turn.farewellTimeout,
      'it ends without that',
      'farewellTimeout',
    ],
    [
      'signaling',
      "the connection was made, its offer went out or the peer's was applied, and none is answered",
      DEFAULT_CONNECTION_GATES.signaling,
      '`closed`',
      'signalingTimeout',
    ],
    [
      'iceConnect',
      'checking, no valid pair',
      ice.connectTimeout,
      '`closed`; of a restart: the pair of before stays, or `failed`',
      'ice.connectTimeout',
    ],
    [
      'iceConsent',
      `no consent response on the selected pair (RFC 7675); \`disconnected\` after ${seconds(ice.disconnectedTimeout)}`,
      ice.consentTimeout,
      '`failed`, until a restart or `pathDown`; before DTLS: `closed`',
      'ice.consentTimeout',
    ],
    [
      'nameResolution',
      'the host is asked for the addresses of an mDNS name',
      ice.nameTimeout,
      "its candidates are given up; the peer's checks still find us",
      'ice.nameTimeout',
    ],
    [
      'dtlsHandshake',
      "a path is valid, the handshake is not complete, or DTLS 1.3's last flight is not acknowledged",
      handshakeTimeout,
      '`closed`, with a diagnosis',
      'dtls.handshakeTimeout',
    ],
    [
      'pathDown',
      'a connection that was up has no path; what waits for the peer stands still meanwhile',
      DEFAULT_CONNECTION_GATES.pathDown,
      '`closed`',
      'pathDownTimeout',
    ],
    ...gates('sctp.gates', DEFAULT_SCTP_GATES, SCTP),
    ...gates('channels.gates', DEFAULT_CHANNEL_GATES, CHANNEL),
    ...media(),
    ...DRIVER,
  ] as const;
  const lines = rows.map(
    ([gate, armed, length, expiry, option]) =>
      `| \`${gate}\` | ${armed} | ${seconds(length)} | ${expiry} | \`${option}\` |`,
  );
  return [
    '| gate | armed while | default | at expiry | option |',
    '| --- | --- | --- | --- | --- |',
    ...lines,
  ].join('\n');
}

/** What media wait for; `media.receive` and `media.send` are what `rtpMedia` is told. */
function media(): (readonly [string, string, number, string, string])[] {
  const receive = receiveSettings({});
  const { writeTimeout } = sendSettings({});
  return [
    [
      'nack',
      'a packet of media is missing, and asked for; ten times at the most',
      receive.nackTimeout,
      'it is given up, counted (`unrecoveredPackets`), of video a keyframe asked for',
      'media.receive.nackTimeout',
    ],
    [
      'keyframe',
      'a keyframe was asked for and has not come',
      receive.keyframeTimeout,
      '`keyframetimeout`, nobody asks any more',
      'media.receive.keyframeTimeout',
    ],
    [
      'streamPause',
      'nothing comes of a stream of media',
      receive.pauseTimeout,
      '`rtpstreampause`',
      'media.receive.pauseTimeout',
    ],
    ['streamSilence', 'the same', receive.streamTimeout, '`rtpstreamend`', 'media.receive.streamTimeout'],
    [
      'toneEnd',
      'neither the end of a tone of DTMF nor more of it comes',
      receive.toneTimeout,
      '`dtmf`, with what is known',
      'media.receive.toneTimeout',
    ],
    [
      'rtpWrite',
      'packets of media were written, and none goes out',
      writeTimeout,
      'they are dropped, counted (`writesExpired`)',
      'media.send.writeTimeout',
    ],
  ];
}

function gates<Name extends string>(
  option: string,
  lengths: Readonly<Record<Name, number>>,
  rows: Readonly<Record<Name, Row>>,
): (readonly [string, string, number, string, string])[] {
  return (Object.keys(lengths) as Name[]).map((name) => {
    const { armed, expiry } = rows[name];
    return [name, armed, lengths[name], expiry, `${option}.${name}`];
  });
}

function seconds(milliseconds: number): string {
  return `${milliseconds / 1000} s`;
}
