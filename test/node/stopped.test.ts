import { expect, test } from 'vitest';
import { afterStop } from './stopped.ts';

test('F5b: a server process stopped for six seconds, longer than "disconnected": every connection lives on', async () => {
  const { server, clients } = await afterStop(6000);
  expect(server).toMatchObject({ open: 10, ended: [], udp: { state: 'open', socketsLost: 0 } });
  expect(clients).toMatchObject({ open: 10, ended: [], udp: { state: 'open' } });
});
