/**
 * What a peer that sends simulcast must do: publish one video as three layers to the library, of which a `LayerSelector` lets one go on to
 * another connection of the peer's, and switches to another one with its next keyframe.
 */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Host, type Connection } from '../browser/host.ts';
import { LayerSelector, rtpMedia, type RtpStream } from '../../src/media/index.ts';
import type { CodecCapability } from '../../src/negotiation/index.ts';
import type { Media, RtcEvent } from '../../src/rtc.ts';
import type { RunningPeer } from './contract.ts';
import { lossySocket } from './lossy-socket.ts';

const RIDS = ['l', 'm', 'h'];
const TARGETS = ['l', 'h', 'm', 'h', 'l', 'm', 'l'] as const;
const LOSS = 0.05;
/** Packets of a layer after a switch: a second of them. */
const ENOUGH = 150;
const PATIENCE = { timeout: 30_000, interval: 20 };

const CODEC: CodecCapability = {
  mimeType: 'video/VP8',
  clockRate: 90_000,
  rtcpFeedback: ['nack', 'nack pli', 'ccm fir', 'transport-cc'],
  rtx: true,
};

let meetings = 0;

/** The peer offers; what it has on offer is taken in this direction. */
async function meet(
  host: Host,
  { peer }: RunningPeer,
  name: string,
  direction: 'recvonly' | 'sendonly',
): Promise<Connection> {
  const connection = host.connection({ codecs: { video: [CODEC] }, media: rtpMedia() });
  if (direction === 'recvonly') await peer.publishLayers(name, RIDS);
  else await peer.watch(name);
  await peer.offer(name, []);
  const offer = await peer.completeDescription(name);
  // Without the list of SSRCs, which browsers leave out too: a packet says by itself which layer it is of, or which it repairs.
  const received = connection.rtc.receiveOffer(offer.replaceAll(/^a=ssrc.*\r\n/gm, ''));
  for (const section of received.media) if (section.kind === 'video') section.direction = direction;
  await peer.acceptAnswer(name, received.answer());
  return connection;
}

export function describeLayers({
  name,
  start,
}: {
  readonly name: string;
  readonly start: () => Promise<RunningPeer>;
}): void {
  describe.each([0, LOSS])(`${name} publishes simulcast, with %d of all datagrams lost`, (loss) => {
    let running: RunningPeer;
    let host: Host;
    let isLossy = false;

    beforeAll(async () => {
      running = await start();
      host = await Host.listen({ createSocket: lossySocket(loss, () => isLossy) });
    });

    afterAll(async () => {
      await host.close();
      await running.stop();
    });

    test('three layers come, one goes on, and each switch is a keyframe of the new one', async () => {
      const number = ++meetings;
      const viewerName = `viewer of layers ${number}`;
      const publisher = await meet(host, running, `publisher of layers ${number}`, 'recvonly');
      const viewer = await meet(host, running, viewerName, 'sendonly');
      const video = viewer.rtc.media.find(({ kind }) => kind === 'video');
      const selector = new LayerSelector({ codecs: video?.parameters?.send.codecs, layers: RIDS });
      const streams = new Map<string, RtpStream>();
      const recovered = new Set<string>();

      publisher.onEvent = (event: RtcEvent) => {
        if (event.type !== 'rtp') return;
        const rid = event.stream.rid ?? '';
        streams.set(rid, event.stream);
        if (event.isRecovered) recovered.add(rid);
        forward(video, selector.forward(event));
        for (let next = selector.next(); next !== undefined; next = selector.next()) forward(video, next);
        const wish = selector.keyframeWish();
        if (wish !== undefined) publisher.rtc.media[0]?.requestKeyframe(wish.rid);
      };
      viewer.onEvent = (event: RtcEvent) => {
        const rid = selector.selected?.rid;
        if (event.type === 'keyframerequest') publisher.rtc.media[0]?.requestKeyframe(rid);
      };

      try {
        await vi.waitFor(() => expect([...streams.keys()].sort()).toEqual(['h', 'l', 'm']), PATIENCE);
        isLossy = true;
        for (const target of TARGETS) {
          const layer = String(RIDS.indexOf(target));
          const before = (await running.peer.played(viewerName)).layers?.[layer] ?? 0;
          selector.setTarget(target);
          await vi.waitFor(async () => {
            const { layers } = await running.peer.played(viewerName);
            expect(selector.selected?.rid).toBe(target);
            expect(layers?.[layer] ?? 0, `layer ${target}`).toBeGreaterThanOrEqual(before + ENOUGH);
          }, PATIENCE);
        }
        const played = await running.peer.played(viewerName);
        console.log(
          `${name}, simulcast, ${loss * 100} % lost: ${JSON.stringify({ ...played, recovered: [...recovered] })}`,
        );
        expect(played.problems).toEqual([]);
        // The way of the viewer loses packets too: the first of a keyframe may come after the second.
        if (loss === 0) expect(played.abruptSwitches).toBe(0);
        else expect([...recovered].sort(), 'layers of which something came again').toEqual(['h', 'l', 'm']);
      } finally {
        publisher.rtc.close();
        viewer.rtc.close();
      }
    });
  });
}

function forward(video: Media | undefined, packet: ReturnType<LayerSelector['forward']>): void {
  const sender = video?.sender();
  if (packet !== undefined && sender?.isWritable === true) sender.write(packet);
}
