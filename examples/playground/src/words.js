/** An arrow of a ladder in words. */
import { clock } from './ladder-view.js';

export function describeArrow(arrow, lanes) {
  const from = lanes[arrow.from] ?? 'nobody';
  const to = lanes[arrow.to] ?? 'nobody';
  const { record } = arrow;
  const times = [`sent at ${clock(arrow.sentAt)}`];
  for (const at of record?.arrivals ?? []) times.push(`arrived at ${clock(at)}`);
  if (arrow.lost !== undefined) times.push(`not delivered: ${FATES[arrow.lost] ?? arrow.lost}`);
  else if (record !== undefined && record.arrivals.length === 0) times.push('under way');
  const way =
    arrow.way ??
    (record?.source === undefined
      ? ''
      : `${record.source.address}:${record.source.port} → ${record.destination.address}:${record.destination.port}, ${record.length} bytes`);
  return [`${from} → ${to}: ${arrow.label}`, times.join(', '), way, arrow.detail]
    .filter((line) => line !== '')
    .join('\n');
}

/** What became of a datagram, as the simulator names it. */
const FATES = {
  lost: 'lost by chance, as the loss says',
  cut: 'the path is cut',
  'queue-full': 'the queue in front of the link was full',
  'no-route': 'nobody has this address',
  'no-listener': 'nobody listens there',
  'interface-down': 'that network was left',
  'nat-filtered': 'the NAT let it not in',
  'receive-buffer-full': 'the peer was frozen, and its buffer full',
};
