/**
 * Moving from other libraries: the programs of docs/migrate run, and every name that another library offers has a row which says
 * what takes its place.
 */
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { afterAll, describe, expect, test, vi } from 'vitest';
import type { PendingOffer } from '../../src/index.ts';
import { Rtc, SdpRefusal, selfSignedCertificate } from '../../src/index.ts';
import type { RtpSender } from '../../src/media/index.ts';
import { rtpMedia } from '../../src/media/index.ts';
import { UdpDriver } from '../../src/node/index.ts';
import { programFolder, Programs } from '../tooling/programs.ts';
import { SURFACES } from './migrate-surfaces.ts';

const folder = new URL('../../docs/migrate/', import.meta.url);

afterAll(() => {
  rmSync(programFolder, { recursive: true, force: true });
});

/** The words of the first column of the table under each heading of the third level. */
function firstColumns(markdown: string): Map<string, Set<string>> {
  const columns = new Map<string, Set<string>>();
  for (const section of markdown.split(/^### /m).slice(1)) {
    const heading = section.slice(0, section.indexOf('\n'));
    const rows = section.split(/^## /m)[0]?.match(/^\|.*$/gm) ?? [];
    const cells = rows.slice(2).map((row) => row.replaceAll('\\|', ' ').split('|')[1] ?? '');
    columns.set(heading, new Set(cells.flatMap((cell) => cell.match(/[A-Za-z_$][\w$]*/g) ?? [])));
  }
  return columns;
}

describe('every name has a row', () => {
  test('the check finds one that has none', () => {
    const columns = firstColumns('# A\n\n### Methods\n\n| a | b |\n| - | - |\n| `send(x)` | `close` |\n');
    expect(columns.get('Methods')).toEqual(new Set(['send', 'x']));
  });

  test('every page has a surface, and every surface a page', () => {
    const pages = readdirSync(folder).filter((name) => name !== 'README.md');
    expect(pages.sort()).toEqual(
      Object.keys(SURFACES)
        .map((name) => `${name}.md`)
        .sort(),
    );
  });

  test.each(Object.entries(SURFACES))('%s', (page, { versions, names }) => {
    const markdown = readFileSync(new URL(`${page}.md`, folder), 'utf8');
    const columns = firstColumns(markdown);
    const missing = Object.entries(names).flatMap(([heading, words]) =>
      words
        .trim()
        .split(/\s+/)
        .filter((word) => columns.get(heading)?.has(word) !== true)
        .map((word) => `${heading}: ${word}`),
    );
    expect(missing).toEqual([]);
    expect(versions.filter((version) => !markdown.includes(version))).toEqual([]);
  });
});

/** Waits until a program has printed a line, and keeps `names` for the test. */
function untilPrinted(names: string): string {
  return `
await new Promise((resolve, reject) => {
  setTimeout(reject, 60_000, new Error('nothing was printed')).unref();
  const log = console.log;
  console.log = (...words) => {
    log(...words);
    console.log = log;
    resolve();
  };
});
export { ${names} };`;
}

describe('the programs run', () => {
  test('simple-peer: a connection, and offers that the other end asks for', async () => {
    const programs = new Programs('docs/migrate/from-simple-peer.md');
    const { exports, printed } = await programs.run(
      'After',
      untilPrinted('driver1, driver2, peer1, connect'),
    );
    const { driver1, driver2, peer1, connect } = exports as {
      driver1: UdpDriver;
      driver2: UdpDriver;
      peer1: SimplePeer;
      connect: (driver: UdpDriver, options: object) => SimplePeer;
    };
    try {
      expect(printed).toEqual(['got a message from peer1: hey peer2, how is it going?']);
      expect(peer1.rtc.connectionState).toBe('connected');
      const said: { readonly type: string }[] = [];
      const say = (data: { type: string }) => said.push(data);
      const initiator = connect(driver1, { initiator: true, say, onEvent: () => undefined });
      const other = connect(driver2, { say, onEvent: () => undefined });
      initiator.signal({ type: 'transceiverRequest', transceiverRequest: { kind: 'audio' } });
      initiator.signal({ type: 'renegotiate', renegotiate: true });
      expect(said).toHaveLength(1); // one offer is out, the other waits
      other.signal(said[0]);
      initiator.signal(said[1]);
      other.signal(said[2]);
      initiator.signal(said[3]);
      expect(said.map(({ type }) => type)).toEqual(['offer', 'answer', 'offer', 'answer']);
      expect(other.rtc.media.map(({ kind }) => kind)).toEqual(['audio']);
    } finally {
      await Promise.all([driver1.close(), driver2.close()]);
    }
  });

  test('node-datachannel: callbacks, a channel and an echo', async () => {
    const programs = new Programs('docs/migrate/from-node-datachannel.md');
    const { exports, printed } = await programs.run('After', untilPrinted('driver1, driver2, peer2'));
    const { driver1, driver2, peer2 } = exports as {
      driver1: UdpDriver;
      driver2: UdpDriver;
      peer2: { rtc: Rtc };
    };
    try {
      expect(printed).toEqual(['you said hello']);
      expect(peer2.rtc.connectionState).toBe('connected');
    } finally {
      await Promise.all([driver1.close(), driver2.close()]);
    }
  });

  test('wrtc: a server that echoes, and a client', async () => {
    const programs = new Programs('docs/migrate/from-wrtc.md');
    const { exports } = await programs.run('After', '\nexport { join, call, driver };');
    const { join, call, driver } = exports as {
      join: (offer: string) => string;
      call: () => PendingOffer;
      driver: UdpDriver;
    };
    try {
      expect(await echoOf(join)).toBe('anybody there?');
      expect(() => join('no offer')).toThrow(SdpRefusal);
      expect(await greetingOf(call())).toBe('hello');
    } finally {
      await driver.close();
    }
  });

  test('werift: packets come back; those of other programs are passed on', async () => {
    const programs = new Programs('docs/migrate/from-werift.md');
    const { exports } = await programs.run('After', '\nexport { mirror, pass, driver };');
    const { mirror, pass, driver } = exports as {
      mirror: (offer: string) => string;
      pass: (sender: RtpSender, bytes: Uint8Array) => boolean;
      driver: UdpDriver;
    };
    const client = await UdpDriver.listen();
    try {
      const rtc = new Rtc({ certificate: selfSignedCertificate(), media: rtpMedia() });
      const draft = rtc.negotiation();
      const voice = draft.addMedia('audio');
      // A packet as another program sends it: version 2, its own payload type, number, time and source; three bytes of payload.
      const packet = Uint8Array.from([0x80, 0xff, 0, 7, 0, 0, 3, 0xc0, 0, 0, 0, 9, 1, 2, 3]);
      const payload = new Promise((resolve, reject) => {
        client.add(rtc, (event) => {
          if (event.type === 'rtp') resolve([...event.packet.payload]);
          if (event.type === 'closed') reject(new Error(event.reason.message));
          const sender = voice.sender();
          if (rtc.connectionState === 'connected' && sender !== undefined) pass(sender, packet);
        });
      });
      const offer = draft.offer();
      offer.accept(mirror(offer.sdp));
      expect(await payload).toEqual([1, 2, 3]);
    } finally {
      await Promise.all([client.close(), driver.close()]);
    }
  });

  test('pion: a server over HTTP that echoes', async () => {
    const programs = new Programs('docs/migrate/from-pion.md');
    vi.stubEnv('PORT', '0');
    const { exports } = await programs.run('After', '\nexport { server, driver };');
    vi.unstubAllEnvs();
    const { server, driver } = exports as { server: Server; driver: UdpDriver };
    try {
      if (!server.listening) await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const post = (body: string): Promise<Response> =>
        fetch(`http://127.0.0.1:${port}/join`, { method: 'POST', body });
      const join = async (offer: string): Promise<string> => {
        const response = await post(JSON.stringify({ type: 'offer', sdp: offer }));
        return ((await response.json()) as { sdp: string }).sdp;
      };
      expect(await echoOf(join)).toBe('anybody there?');
      expect((await post('no JSON')).status).toBe(400);
      expect((await post('{"type":"offer","sdp":"none"}')).status).toBe(400);
    } finally {
      server.close();
      await driver.close();
    }
  });

  test('str0m: the loop, with an echo', async () => {
    const programs = new Programs('docs/migrate/from-str0m.md');
    const { exports } = await programs.run('After', '\nexport { join };');
    const { join } = exports as { join: (offer: string) => Promise<string> };
    // The client's end closes the other one's, and its socket with it.
    expect(await echoOf(join)).toBe('anybody there?');
  });
});

/** What a program says whose offer is answered. */
async function greetingOf(offer: PendingOffer): Promise<unknown> {
  const driver = await UdpDriver.listen();
  try {
    const rtc = new Rtc({ certificate: selfSignedCertificate() });
    const greeting = new Promise((resolve, reject) => {
      driver.add(rtc, (event) => {
        if (event.type === 'message') resolve(event.data);
        if (event.type === 'closed') reject(new Error(event.reason.message));
      });
    });
    offer.accept(rtc.receiveOffer(offer.sdp).answer());
    return await greeting;
  } finally {
    await driver.close();
  }
}

/** What a client hears that sends one message to a server, by whatever answers its offer. */
async function echoOf(join: (offer: string) => string | Promise<string>): Promise<unknown> {
  const client = await UdpDriver.listen();
  try {
    const rtc = new Rtc({ certificate: selfSignedCertificate() });
    const echo = new Promise((resolve, reject) => {
      client.add(rtc, (event) => {
        if (event.type === 'channelopen') event.channel.send('anybody there?');
        if (event.type === 'message') resolve(event.data);
        if (event.type === 'closed') reject(new Error(event.reason.message));
      });
    });
    const draft = rtc.negotiation();
    draft.addChannel('echo');
    const offer = draft.offer();
    offer.accept(await join(offer.sdp));
    return await echo;
  } finally {
    await client.close();
  }
}

/** What `connect` of simple-peer's page answers. */
interface SimplePeer {
  readonly rtc: Rtc;
  readonly signal: (data: unknown) => void;
}
