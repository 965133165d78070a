import { describe } from 'vitest';
import { jsCrypto } from '../../src/crypto/index.ts';
import { describeConformance } from './conformance.ts';
import { describeKnownAnswers } from './known-answers.ts';

describe('SRTP on jsCrypto', () => {
  describeKnownAnswers(jsCrypto());
  describeConformance(jsCrypto());
});
