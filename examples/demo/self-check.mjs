/**
 * The demo without a browser: the server here, a client in a second process (client.mjs), real UDP between them, the
 * page's own HTTP signalling. Prints what the client measured; throws one clear line when anything fails or hangs.
 */
import { fork } from 'node:child_process';
import { startService } from './service.mjs';

/** The client bounds each of its steps; this is for a client that hangs altogether. */
const CLIENT_DEADLINE = 90_000;

export async function selfCheck(options) {
  const warnings = [];
  const service = await startService({ ...options, onWarning: (message) => warnings.push(message) });
  try {
    const result = await runClient(service.url);
    process.stdout.write(table(result, service));
    for (const warning of warnings) console.log(`note: ${warning}`);
    console.log('self-check passed');
  } finally {
    await service.close();
  }
}

function runClient(url) {
  return new Promise((resolve, reject) => {
    const client = fork(new URL('./client.mjs', import.meta.url), [url]);
    const deadline = setTimeout(() => {
      client.kill('SIGKILL');
      reject(new Error(`self-check failed: the client did not finish within ${CLIENT_DEADLINE / 1000} s`));
    }, CLIENT_DEADLINE);
    let result;
    client.once('message', (message) => (result = message));
    client.once('error', (error) => reject(new Error(`self-check failed: ${error.message}`)));
    client.once('exit', (code, signal) => {
      clearTimeout(deadline);
      if (result === undefined)
        reject(new Error(`self-check failed: the client ended with ${signal ?? code}`));
      else if ('error' in result) reject(new Error(`self-check failed: ${result.error}`));
      else resolve(result);
    });
  });
}

function table({ connect, roundTrips, upload, download, server, client, udp }, service) {
  const rows = [
    [
      'connect',
      ms(connect.total),
      `ICE ${ms(connect.ice)}, DTLS ${ms(connect.dtls)}, SCTP ${ms(connect.sctp)}`,
    ],
    [
      'round trips',
      `${roundTrips.perSecond.toFixed(0)} /s`,
      `${roundTrips.count} of ${roundTrips.bytes} bytes, median ${ms(roundTrips.median)}, worst ${ms(roundTrips.worst)}`,
    ],
    ['upload', ...transfer(upload)],
    ['download', ...transfer(download)],
    ['datagrams', `${udp.datagramsSent} out`, `${udp.datagramsReceived} in, as the client counts them`],
    ['retransmissions', ...retransmissions(client, server)],
  ];
  const port = service.driver.addresses[0].port;
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column].length)));
  const lines = rows.map(
    ([name, value, detail]) => `${name.padEnd(widths[0])}  ${value.padStart(widths[1])}  ${detail}`,
  );
  return `two processes over UDP, server on port ${port}\n\n${lines.join('\n')}\n\n`;
}

function transfer({ bytes, milliseconds }) {
  const rate = bytes / 1e6 / (milliseconds / 1000);
  return [`${rate.toFixed(1)} MB/s`, `${bytes / 2 ** 20} MiB in ${ms(milliseconds)}, SHA-256 equal`];
}

function ms(milliseconds) {
  return `${milliseconds.toFixed(milliseconds < 10 ? 2 : 0)} ms`;
}

/** Both ends' together. */
function retransmissions(client, server) {
  const sum = (count) => count(client) + count(server);
  const ice = sum((end) => end.ice.counters['check-retransmitted']);
  const dtls = sum((end) => end.dtls.counters.retransmissions);
  const sctp = sum((end) => end.sctp.counters['retransmitted-chunks']);
  return [
    String(ice + dtls + sctp),
    `ICE ${ice} checks, DTLS ${dtls} flights, SCTP ${sctp} chunks, both ends`,
  ];
}
