/** Encodings of media that is added: what can stand in a description, and nothing else. */
import { expect, test } from 'vitest';
import { RtcError } from '../../src/index.ts';
import type { MediaInit } from '../../src/index.ts';
import { makeSignaller } from './signallers.ts';

const RESTRICTION = { name: 'max-fps', value: '30' };

function add(encodings: unknown): string {
  const draft = makeSignaller().negotiation();
  draft.addMedia('video', { direction: 'sendonly', encodings } as MediaInit);
  return draft.offer().sdp;
}

test('encodings with restrictions are offered', () => {
  const sixteen = Array.from({ length: 16 }, (_, index) => ({ rid: `r${index}` }));
  expect(add(sixteen)).toContain(`a=simulcast:send ${sixteen.map(({ rid }) => rid).join(';')}`);
  const restrictions = [
    ...Array.from({ length: 15 }, () => RESTRICTION),
    { name: 'depend', value: undefined },
  ];
  expect(add([{ rid: 'H', restrictions }, { rid: '2' }])).toContain('a=rid:H send max-fps=30;');
});

test.each<[string, unknown, string]>([
  ['no list', 'l', '"encodings"'],
  ['too many', Array.from({ length: 17 }, (_, index) => ({ rid: `r${index}` })), '"encodings"'],
  ['nothing', [null], '"encodings[0]"'],
  ['an empty name', [{ rid: '' }], '"encodings[0].rid"'],
  ['a hyphen in a name', [{ rid: 'a-b' }], '"encodings[0].rid"'],
  ['a long name', [{ rid: 'a'.repeat(17) }], '"encodings[0].rid"'],
  ['the same name twice', [{ rid: 'l' }, { rid: 'l' }], '"encodings"'],
  ['no flag', [{ rid: 'l', active: 1 }], '"encodings[0].active"'],
  [
    'too many restrictions',
    [{ rid: 'l', restrictions: Array.from({ length: 17 }, () => RESTRICTION) }],
    'restrictions',
  ],
  ['no restriction', [{ rid: 'l', restrictions: ['max-fps'] }], 'restrictions[0]'],
  ['a restriction without a name', [{ rid: 'l', restrictions: [{ value: '1' }] }], 'restrictions[0].name'],
  ['a blank in its name', [{ rid: 'l', restrictions: [{ name: 'max fps' }] }], 'restrictions[0].name'],
  ['payload types', [{ rid: 'l', restrictions: [{ name: 'pt', value: '96' }] }], 'restrictions[0].name'],
  ['a number', [{ rid: 'l', restrictions: [{ name: 'max-fps', value: 30 }] }], 'restrictions[0].value'],
  ['a semicolon', [{ rid: 'l', restrictions: [{ name: 'x', value: '3;y' }] }], 'restrictions[0].value'],
])('%s: refused, and nothing has changed', (_, encodings, where) => {
  expect(() => add(encodings)).toThrow(RtcError);
  expect(() => add(encodings)).toThrow(where);
});
