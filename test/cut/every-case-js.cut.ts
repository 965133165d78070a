import { testEveryCase } from './every-case.ts';
import { materials } from './stage.ts';

testEveryCase(materials.js());
