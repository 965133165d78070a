/** All that is measured, in the order in which it is. */
import { bulk } from './bulk.mjs';
import { connect } from './connect.mjs';
import { crowd } from './crowd.mjs';
import { floor } from './floor.mjs';
import { imports } from './import.mjs';
import { lossySetUp } from './lossy-set-up.mjs';
import { paths } from './paths.mjs';
import { roundTrips } from './round-trips.mjs';
import { size } from './size.mjs';

/**
 * Each has a `name` for `--only`, a `title`, `cases` with names, `measures` (what `run` answers, and how that is called), and `run`, which
 * measures one case with one stack once, in new processes, and throws when the stack fails. `rounds` says how often, if not as often
 * as the others, `attempts` how often a stack that does nothing but fail is asked, `variants` what else is tried with a stack, and
 * `contenders` who is measured in place of the stacks.
 */
export const SCENARIOS = [connect, bulk, floor, roundTrips, paths, lossySetUp, crowd, imports, size];
