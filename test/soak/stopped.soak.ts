import { expect, test } from 'vitest';
import { afterStop } from '../node/stopped.ts';

test('F5b: a server process stopped for fifteen seconds: every connection lives on', async () => {
  const { server, clients } = await afterStop(15_000);
  expect(server).toMatchObject({ open: 10, ended: [] });
  expect(clients).toMatchObject({ open: 10, ended: [] });
});
