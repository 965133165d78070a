/** SendingSource: one SSRC of ours: its sequence numbers, what it has sent, and what the peer knows and says of it. */
import { after16 } from '../../core/serial.ts';
import type { ReportBlock } from '../../rtp/index.ts';
import { RemoteReports, SenderInfo } from './reports.ts';
import type { SequenceNumbers } from './sequence-numbers.ts';

/** A source that packets are sent from: of a stream, or of its retransmissions. */
export class SendingSource {
  readonly ssrc: number;
  readonly numbers: SequenceNumbers;
  readonly info: SenderInfo = new SenderInfo();
  readonly reports: RemoteReports = new RemoteReports();
  /** The peer may not know whose it is: mid and rid go along. */
  needsIdentity = true;
  /** The first packet that carried them since they are what they are. */
  #identifiedFrom: number | undefined;
  /** Packets that it had sent when it left. */
  #sentBefore = 0;

  constructor(ssrc: number, numbers: SequenceNumbers) {
    this.ssrc = ssrc;
    this.numbers = numbers;
  }

  /** It has sent a packet of `octets` bytes of payload. */
  count(sequence: number, octets: number): void {
    this.info.count(octets);
    if (this.needsIdentity) this.#identifiedFrom ??= sequence;
  }

  /**
   * It leaves, for as long as it sends nothing further.
   * @returns whether the peer is to be told: it has sent something since the last time (RFC 3550 §6.3.7)
   */
  leave(): boolean {
    const { packets } = this.info;
    if (packets === this.#sentBefore) return false;
    this.#sentBefore = packets;
    this.info.settle();
    return true;
  }

  /** Mid, rid or their ids are others from now on. */
  identifyAnew(): void {
    this.needsIdentity = true;
    this.#identifiedFrom = undefined;
  }

  /** Takes a block of the peer's; answers as `RemoteReports.take`. */
  takeReport(block: ReportBlock, ntpTime: number): number | undefined {
    const from = this.#identifiedFrom;
    // A report that was on its way when they changed acknowledges what was before.
    if (from !== undefined && !after16(from & 0xffff, block.highestSequenceNumber & 0xffff)) {
      this.needsIdentity = false;
      this.#identifiedFrom = undefined;
    }
    return this.reports.take(block, ntpTime);
  }
}
