/**
 * The pictures of the documents are what the code draws now.
 * `UPDATE_DOCS=1 npx vitest run --project unit test/docs/pictures.test.ts` draws them anew.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { handshakePicture, layersPicture, statesPicture } from './pictures.ts';

test.each([
  ['docs/layers.svg', layersPicture],
  ['docs/handshake.svg', handshakePicture],
  ['docs/states.svg', statesPicture],
])('%s', (name, draw) => {
  const file = new URL(`../../${name}`, import.meta.url);
  const drawn = draw();
  expect(drawn).not.toMatch(/NaN|undefined|Infinity/);
  if (process.env['UPDATE_DOCS'] !== undefined) writeFileSync(file, drawn);
  expect(existsSync(file) ? readFileSync(file, 'utf8') : '', 'UPDATE_DOCS=1 draws it anew').toBe(drawn);
});
