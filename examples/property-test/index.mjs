import { main } from './check.mjs';

main();
