#!/usr/bin/env node
/** `npm run demo`: a page whose data channels end in this process. `npm run demo -- --help` lists the options. */
import { isIP } from 'node:net';
import { parseArgs } from 'node:util';

const USAGE = `Usage: npm run demo -- [options]

  --host ADDRESS      address of the page and of the UDP socket (default 127.0.0.1)
  --http-port PORT    port of the page (default 8080; 0: any free one)
  --port PORT         UDP port (default 8081; 0: any free one)
  --self-check        no browser: a second process joins, measures, compares; exits 0 or 1
  --help              this text
`;

try {
  await main(readOptions());
} catch (error) {
  console.error(`demo: ${error.message}`);
  process.exit(1);
}

async function main(options) {
  if (options.help) {
    process.stdout.write(USAGE);
    return;
  }
  if (options.selfCheck) {
    const { selfCheck } = await import('./self-check.mjs');
    await selfCheck(options);
    return;
  }
  const { startService } = await import('./service.mjs');
  const service = await startService({
    ...options,
    traces: true,
    onWarning: (message) => console.error(`warning: ${message}`),
  });
  console.log(
    `Open ${service.url} in a browser. UDP port ${service.driver.addresses[0].port}. Ctrl+C ends it.`,
  );
  const stop = () => {
    service.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      host: { type: 'string', default: '127.0.0.1' },
      port: { type: 'string' },
      'http-port': { type: 'string' },
      'self-check': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const selfCheck = values['self-check'];
  if (isIP(values.host) === 0) throw new Error(`--host expected an IP address, got "${values.host}"`);
  return {
    help: values.help,
    selfCheck,
    host: values.host,
    // The self-check needs no known ports, so it takes none that somebody may hold.
    port: portOption('--port', values.port ?? (selfCheck ? '0' : '8081')),
    httpPort: portOption('--http-port', values['http-port'] ?? (selfCheck ? '0' : '8080')),
  };
}

function portOption(name, text) {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65535)
    throw new Error(`${name} expected a port from 0 to 65535, got "${text}"`);
  return port;
}
