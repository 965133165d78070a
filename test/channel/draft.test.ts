import { describe, expect, test } from 'vitest';
import { DataChannels } from '../../src/channel/index.ts';
import { FakePort, connected, drain, types } from './fake-port.ts';

const misuse = (code: string): unknown => expect.objectContaining({ code });

describe('channels in the making', () => {
  test('are connecting, and leave nothing with the association', () => {
    const { port, channels } = connected('client');
    const before = JSON.stringify(channels.inspect());
    const draft = channels.draft();
    const chat = draft.createChannel('chat', { ordered: false });
    expect(chat).toMatchObject({
      label: 'chat',
      ordered: false,
      readyState: 'connecting',
      id: undefined,
      bufferedAmount: 0,
    });
    expect(() => chat.send('early')).toThrow(misuse('ERR_INVALID_STATE'));
    expect(JSON.stringify(channels.inspect())).toBe(before);
    expect([channels.heldBytes, channels.nextTimeout(), channels.queuedEvents]).toEqual([0, Infinity, 0]);
    expect(port.takeSent()).toEqual([]);
    // The identifier is free for others.
    expect(channels.createChannel('other').id).toBe(0);
  });

  test('become channels in their order, with what their handles were told', () => {
    const { port, channels } = connected('client');
    const draft = channels.draft();
    const handles = ['first', 'second'].map((label) => draft.createChannel(label, {}));
    const [first, second] = handles;
    if (first !== undefined) first.bufferedAmountLowThreshold = 10;
    second?.pauseReading();
    draft.adopt();
    draft.adopt();
    expect(handles.map(({ id }) => id)).toEqual([0, 2]);
    expect(port.takeSent()).toHaveLength(2);
    expect(first?.bufferedAmountLowThreshold).toBe(10);
    expect(second?.isReadingPaused).toBe(true);
    expect(draft.createChannel('later', {}).id).toBe(4);
  });

  test('that are closed before never become one, and no event tells of them', () => {
    const { port, channels } = connected('client');
    const draft = channels.draft();
    const chat = draft.createChannel('chat', { negotiated: true, id: 4 });
    chat.close();
    expect(chat.readyState).toBe('closed');
    expect(draft.createChannel('again', { negotiated: true, id: 4 }).id).toBe(4);
    draft.adopt();
    expect(chat.readyState).toBe('closed');
    expect(types(channels)).toEqual(['channelopen']);
    expect(port.takeSent()).toEqual([]);
  });

  test('are closed with the association', () => {
    const { channels } = connected('client');
    const draft = channels.draft();
    const chat = draft.createChannel('chat', {});
    channels.close({ layer: 'sctp', code: 'remote-close', message: 'closed' }, 0);
    expect(chat.readyState).toBe('closed');
    expect(chat.send('late')).toBe(false);
    draft.adopt();
    expect(drain(channels)).toEqual([]);
    expect(channels.invariantViolation()).toBeUndefined();
  });
});

describe('misuse', () => {
  test('a negotiated identifier is one channel’s, within a draft and beside it', () => {
    const { channels } = connected('client');
    const [draft, other] = [channels.draft(), channels.draft()];
    const options = { negotiated: true, id: 6 };
    const mine = draft.createChannel('mine', options);
    expect(() => draft.createChannel('twice', options)).toThrow(misuse('ERR_BAD_ARGUMENT'));
    other.createChannel('fine', {});
    other.createChannel('theirs', options);
    draft.adopt();
    const before = JSON.stringify(channels.inspect());
    expect(() => {
      other.adopt();
    }).toThrow(misuse('ERR_BAD_ARGUMENT'));
    expect(JSON.stringify(channels.inspect())).toBe(before);
    expect(mine).toMatchObject({ id: 6, readyState: 'open' });
  });

  test('a draft is bounded by maxChannels, and one that is dropped takes no place', () => {
    const channels = new DataChannels(new FakePort(), { limits: { maxChannels: 2 } });
    const dropped = channels.draft();
    dropped.createChannel('a', {});
    dropped.createChannel('b', {});
    expect(() => dropped.createChannel('c', {})).toThrow(misuse('ERR_LIMIT'));
    const draft = channels.draft();
    draft.createChannel('a', {});
    draft.adopt();
    expect(() => {
      dropped.adopt();
    }).toThrow(misuse('ERR_LIMIT'));
    channels.createChannel('b');
    expect(() => channels.createChannel('c')).toThrow(misuse('ERR_LIMIT'));
  });
});
