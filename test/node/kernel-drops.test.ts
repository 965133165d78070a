import { describe, expect, test } from 'vitest';
import { dropsIn, kernelDrops } from '../../src/node/kernel-drops.ts';

const HEADER =
  '   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops';
const TABLE = `${HEADER}
  321: 00000000:0D96 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 11111 2 0000000000000000 7
 1234: 0100007F:1F90 00000000:0000 07 00000000:00000000 00:00000000 00000000  1000        0 31337 2 0000000000000000 4944
`;
const TABLE_6 = `${HEADER}
  321: 00000000000000000000000000000000:0D96 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000 0 0 11111 2 0000000000000000 3
  322: B80D0120000000000000000007000000:0D96 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000 0 0 11112 2 0000000000000000 5
`;

// The tables above are a little-endian machine's.
describe.runIf(new Uint8Array(Uint16Array.of(1).buffer)[0] === 1)('F3c: drops in /proc/net/udp', () => {
  test.each([
    ['127.0.0.1', 8080, TABLE, 4944],
    ['0.0.0.0', 3478, TABLE, 7],
    ['::', 3478, TABLE_6, 3],
    ['2001:db8::7', 3478, TABLE_6, 5],
    ['127.0.0.1', 3478, TABLE, undefined],
    ['127.0.0.1', 8080, '', undefined],
  ])('%s port %i', (address, port, table, drops) => {
    expect(dropsIn(table, { address, port })).toBe(drops);
  });

  test('a system without the file tells nothing', () => {
    const absent = (): string => {
      throw new Error('ENOENT');
    };
    expect(kernelDrops({ address: '127.0.0.1', port: 1 }, absent)).toBeUndefined();
  });
});
