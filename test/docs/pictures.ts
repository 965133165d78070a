/** The pictures of docs/how-it-works.md, drawn from the code: who imports whom, a handshake on the wire, states over time. */
import { type Host, Network } from '../../src/sim/index.ts';
import { type Recording, ladderSvg, recordRtc } from '../../src/trace/index.ts';
import type { RtcEvent } from '../../src/index.ts';
import { MAY_IMPORT } from '../../scripts/lint/layers.mjs';

/** On a background of its own: the same in a light and a dark page. */
const STYLE = `<style>
text{font:13px ui-sans-serif,system-ui,"Segoe UI",Helvetica,Arial,sans-serif;fill:#1f2328}
.title{font-size:16px;font-weight:600}
.note{font-size:11px;fill:#57606a}
.box{fill:#ddf4ff;stroke:#0969da;stroke-width:1.2}
.host{fill:#fff1e5;stroke:#bc4c00}
.base{fill:#eaeef2;stroke:#57606a}
.edge{fill:none;stroke:#6e7781;stroke-width:1.2}
.head{fill:#6e7781}
</style>`;

const svg = (width: number, height: number, title: string, body: readonly string[]): string =>
  [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}">`,
    STYLE,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text class="title" x="${width / 2}" y="30" text-anchor="middle">${title}</text>`,
    ...body,
    '</svg>',
    '',
  ].join('\n');

// --- layers ---

/** What an application is given by, and what all others stand on: they would be in every line. */
const LEFT_OUT = ['index', 'core', 'sim/fast-check', 'crypto/node', 'certificate'];
/** Those that may touch sockets, timers and promises. */
const HOSTS = ['node', 'streams', 'cli', 'webrtc'];
/** Those that nearly all stand on: told of in words. */
const BASE = ['crypto', 'stun'];

/** The layers, each in the row below all that use it; lines where one uses another and no way around leads there. */
export function layersPicture(): string {
  const rooms = Object.keys(MAY_IMPORT).filter((room) => !LEFT_OUT.includes(room));
  const uses = new Map(
    rooms.map((room) => [
      room,
      (MAY_IMPORT[room] ?? []).filter((used) => rooms.includes(used) && !BASE.includes(used)),
    ]),
  );
  const rows = new Map<string, number>();
  const rowOf = (room: string): number => {
    const known = rows.get(room);
    if (known !== undefined) return known;
    const users = rooms.filter((other) => uses.get(other)?.includes(room) === true);
    const row = BASE.includes(room) ? -1 : Math.max(-1, ...users.map(rowOf)) + 1;
    rows.set(room, row);
    return row;
  };
  const last = Math.max(...rooms.map(rowOf)) + 1;
  for (const room of BASE) rows.set(room, last);
  const places = new Map<string, { x: number; y: number }>();
  const [width, boxWidth, boxHeight, step] = [880, 96, 34, 84];
  for (let row = 0; row <= last; row++) {
    // Each below the middle of those that use it, so that few lines cross.
    const middleOf = (room: string): number => {
      const above = rooms.filter((user) => uses.get(user)?.includes(room) === true);
      return above.reduce((sum, user) => sum + (places.get(user)?.x ?? 0), 0) / Math.max(1, above.length);
    };
    const inRow = rooms.filter((room) => rows.get(room) === row);
    if (row > 0) inRow.sort((one, other) => middleOf(one) - middleOf(other));
    for (const [i, room] of inRow.entries())
      places.set(room, { x: (width * (i + 0.5)) / inRow.length, y: 80 + row * step });
  }
  const reaches = (from: string, to: string): boolean =>
    (uses.get(from) ?? []).some((used) => used === to || reaches(used, to));
  const edges = rooms.flatMap((room) => {
    const used = uses.get(room) ?? [];
    return used
      .filter((to) => !used.some((way) => way !== to && reaches(way, to)))
      .map((to) => ({ from: places.get(room), to: places.get(to) }));
  });
  const lines = edges.flatMap(({ from, to }) => {
    if (from === undefined || to === undefined) return [];
    const [y1, y2] = [from.y + boxHeight / 2, to.y - boxHeight / 2];
    const middle = (y1 + y2) / 2;
    return [
      `<path class="edge" d="M${from.x} ${y1}C${from.x} ${middle} ${to.x} ${middle} ${to.x} ${y2 - 6}"/>`,
      `<path class="head" d="M${to.x - 4} ${y2 - 7}h8l-4 7z"/>`,
    ];
  });
  const boxes = [...places].flatMap(([room, { x, y }]) => {
    const kind = HOSTS.includes(room) ? ' host' : BASE.includes(room) ? ' base' : '';
    return [
      `<rect class="box${kind}" x="${x - boxWidth / 2}" y="${y - boxHeight / 2}" width="${boxWidth}" height="${boxHeight}" rx="6"/>`,
      `<text x="${x}" y="${y + 5}" text-anchor="middle">${room}</text>`,
    ];
  });
  const height = 80 + last * step + 60;
  return svg(width, height, 'Who uses whom in src/', [
    ...lines,
    ...boxes,
    `<text class="note" x="${width / 2}" y="${height - 16}" text-anchor="middle">Orange: may use sockets, timers and promises. Grey: used by most layers above; so is core, not drawn.</text>`,
  ]);
}

// --- connections ---

interface Peer extends Recording {
  readonly host: Host;
}

/** Two peers on a network with seeds of their own, and what each has recorded. Nothing is agreed on yet. */
function twoPeers(net: Network, listen: (event: RtcEvent, isFirst: boolean) => void): Peer[] {
  return ['192.0.2.1', '192.0.2.2'].map((address, i) => {
    const recording = recordRtc({ seed: i + 1 });
    const { rtc } = recording;
    rtc.addLocalCandidate({ type: 'host', protocol: 'udp', address, port: 5000 });
    const host = net.host(address);
    host.attach(rtc, { port: 5000, onEvent: ({ event }) => listen(event, i === 0) });
    return { ...recording, host };
  });
}

/** The first offers a channel, the second answers. */
function agree([first, second]: readonly Peer[]): void {
  if (first === undefined || second === undefined) throw new Error('two peers, please');
  const draft = first.rtc.negotiation();
  draft.addChannel('chat');
  const offer = draft.offer();
  offer.accept(second.rtc.receiveOffer(offer.sdp).answer());
}

/** Every datagram until the first message has arrived, on a clean path of 20 ms. */
export function handshakePicture(): string {
  const net = new Network({ seed: 1, defaults: { latency: 20 }, record: { bytes: true } });
  let isHeard = false;
  const peers = twoPeers(net, (event, isFirst) => {
    if (isFirst && event.type === 'channelopen') event.channel.send('hello');
    if (!isFirst && event.type === 'message') isHeard = true;
  });
  agree(peers);
  net.run({ until: () => isHeard });
  return ladderSvg(
    { datagrams: net.datagrams, traces: peers.map(({ recorder }) => recorder.trace) },
    { title: 'From nothing to the first message: 20 ms from one end to the other, nothing lost' },
  );
}

const SECONDS = 140;
const COLOURS: Readonly<Record<string, string>> = {
  new: '#eaeef2',
  checking: '#fff8c5',
  connecting: '#fff8c5',
  connected: '#dafbe1',
  completed: '#dafbe1',
  open: '#dafbe1',
  disconnected: '#ffd8b5',
  failed: '#ffcecb',
  closed: '#d0d7de',
};

/** The states of one end while its path is cut twice: for a moment, and for good. */
export function statesPicture(): string {
  const net = new Network({ seed: 1, defaults: { latency: 20 } });
  const tracks = new Map<string, { at: number; state: string }[]>(
    ['connectionState', 'iceConnectionState', 'DTLS', 'channel'].map((name) => [
      name,
      [{ at: 0, state: 'new' }],
    ]),
  );
  const note = (track: string, state: string): number =>
    tracks.get(track)?.push({ at: net.now / 1000, state }) ?? 0;
  let closed = { at: 0, reason: '' };
  const peers = twoPeers(net, (event, isFirst) => {
    if (!isFirst) return;
    if (event.type === 'connectionstatechange') note('connectionState', event.state);
    else if (event.type === 'iceconnectionstatechange') note('iceConnectionState', event.state);
    else if (event.type === 'dtlsstatechange') note('DTLS', event.state);
    else if (event.type === 'channelopen') note('channel', 'open');
    else if (event.type === 'channelclose') note('channel', 'closed');
    else if (event.type === 'closed') closed = { at: net.now / 1000, reason: event.reason.code };
  });
  agree(peers);
  const cuts = [
    [10, 22],
    [40, SECONDS],
  ] as const;
  for (const [from, to] of cuts) {
    net.at(from * 1000, () => net.partition(peers.slice(0, 1).map(({ host }) => host)));
    if (to < SECONDS) net.at(to * 1000, () => net.heal());
  }
  net.advance(SECONDS * 1000);
  const [left, width, top, step] = [150, 900, 90, 52];
  const x = (at: number): number => Math.round(left + (at / SECONDS) * (width - left - 20));
  const body: string[] = cuts.flatMap(([from, to]) => [
    `<rect x="${x(from)}" y="${top - 24}" width="${x(to) - x(from)}" height="${step * tracks.size + 16}" fill="#f6f8fa" stroke="#d1242f" stroke-dasharray="4 3"/>`,
    `<text class="note" x="${x(from) + 4}" y="${top - 30}">the path is cut</text>`,
  ]);
  for (const [row, [name, changes]] of [...tracks].entries()) {
    const y = top + row * step;
    body.push(`<text x="${left - 12}" y="${y + 19}" text-anchor="end">${name}</text>`);
    for (const [i, { at, state }] of changes.entries()) {
      const end = changes[i + 1]?.at ?? SECONDS;
      const [from, to] = [x(at), x(end)];
      if (to - from < 2) continue;
      body.push(
        `<rect x="${from}" y="${y}" width="${to - from}" height="28" fill="${COLOURS[state] ?? '#fff'}" stroke="#57606a" stroke-width="0.8"><title>${name}: ${state}, from ${at.toFixed(1)} s</title></rect>`,
      );
      if (to - from > state.length * 7) body.push(`<text x="${from + 6}" y="${y + 19}">${state}</text>`);
    }
  }
  const axis = top + step * tracks.size + 16;
  for (let at = 0; at <= SECONDS; at += 20)
    body.push(
      `<path class="edge" d="M${x(at)} ${axis - 22}v6"/>`,
      `<text class="note" x="${x(at)}" y="${axis - 2}" text-anchor="middle">${at} s</text>`,
    );
  body.push(
    `<path d="M${x(closed.at)} ${top - 12}v${axis - top - 10}" stroke="#1f2328" stroke-width="1.6"/>`,
    `<text class="note" x="${x(closed.at) + 6}" y="${axis - 26}">the event closed: ${closed.reason}</text>`,
  );
  return svg(width, axis + 16, 'States of one end while its path is cut, twice', body);
}
