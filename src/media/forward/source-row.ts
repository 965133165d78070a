/**
 * SourceRow: the places that packets of one source have in what is sent, from the moment when it is selected.
 *
 *     a   10  ·  12  13 │ left          11: missing; its place is kept, and it is sent there if it comes in time
 *     b                 │ 500 501 502
 *
 * Once the source is left no place is added, and those of which nobody knows yet are taken back.
 */
import type { RtpEvent, RtpStream } from '../contract.ts';
import type { LastPicture } from './picture-ids.ts';
import { PictureIds } from './picture-ids.ts';
import type { LayerLimits } from './picture-layers.ts';
import { PictureLayers } from './picture-layers.ts';
import { Renumbering } from './renumbering.ts';

/** Where a row has ended, for the next one to go on from. */
export interface RowEnd {
  /** The largest sequence number sent; `undefined`: none has been. */
  readonly sequence: number | undefined;
  readonly picture: LastPicture;
}

/** Before the first row. */
export const NOTHING_SENT: RowEnd = {
  sequence: undefined,
  picture: { id: undefined, tl0: undefined, key: undefined },
};

/** Of one source; used again for another one once nothing is waited for any more. */
export class SourceRow {
  readonly numbers: Renumbering;
  readonly pictures: PictureIds;
  readonly layers: PictureLayers = new PictureLayers();
  stream: RtpStream | undefined;
  /** What is added to the times of the source. */
  timeOffset = 0;
  /** Of the last packet sent on. */
  payloadType: number | undefined;
  /** When it was left, ms. */
  leftAt: number = Infinity;

  /** @param memory how many packets and pictures are remembered, a power of two */
  constructor(memory: number) {
    this.numbers = new Renumbering(memory);
    this.pictures = new PictureIds(memory);
  }

  /** The source begins with this packet, behind the row before. */
  begin({ stream, sequence }: RtpEvent, after: RowEnd, limits: LayerLimits): void {
    this.stream = stream;
    // Below 2^15 at first, so that no early loss makes the receiver miss a wrap (RFC 3711 §3.3.1).
    this.numbers.start(sequence, after.sequence === undefined ? sequence & 0x7fff : after.sequence + 1);
    this.pictures.begin(after.picture);
    this.layers.begin(limits);
  }

  /** The source is left. @returns where the next one goes on */
  end(): RowEnd {
    this.numbers.end();
    this.pictures.end();
    return { sequence: this.numbers.lastSent, picture: this.pictures.last };
  }

  /** Whether the packet has a place here: kept, taken or closed up. What is newer, or older than is remembered, has none. */
  knows({ stream, sequence }: RtpEvent): boolean {
    if (stream !== this.stream) return false;
    const standing = this.numbers.standing(sequence);
    return standing !== 'new' && standing !== 'old';
  }
}
