const HOST_OVER_UDP = /^(?:a=)?candidate:\S+ 1 udp \d+ (\d+\.\d+\.\d+\.\d+) (\d+) typ host/i;

/** Where a candidate (its line, with or without `a=`) is reached over UDP and IPv4; `undefined` for any other. */
export function udpAddress(line) {
  const [found, address, port] = HOST_OVER_UDP.exec(line) ?? [];
  return found === undefined ? undefined : { address, port: Number(port) };
}
