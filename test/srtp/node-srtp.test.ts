import { describe } from 'vitest';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import { describeKnownAnswers } from './known-answers.ts';

describe('SRTP on nodeCrypto', () => {
  describeKnownAnswers(nodeCrypto());
});
