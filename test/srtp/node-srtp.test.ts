import { describe } from 'vitest';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import { describeConformance } from './conformance.ts';
import { describeKnownAnswers } from './known-answers.ts';

describe('SRTP on nodeCrypto', () => {
  describeKnownAnswers(nodeCrypto());
  describeConformance(nodeCrypto());
});
