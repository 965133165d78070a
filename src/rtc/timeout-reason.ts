/** `layer.timer`: why a connection's deadline is what it is. Each is made once, for every drain ends with one. */
const made: Readonly<Record<'rtc' | 'ice' | 'dtls' | 'sctp' | 'channel', Map<string, string>>> = {
  rtc: new Map(),
  ice: new Map(),
  dtls: new Map(),
  sctp: new Map(),
  channel: new Map(),
};

/** @param timer one of the layer's own names: there is an end to them */
export function timeoutReason(layer: keyof typeof made, timer = ''): string {
  const known = made[layer].get(timer);
  if (known !== undefined) return known;
  const reason = `${layer}.${timer}`;
  made[layer].set(timer, reason);
  return reason;
}
