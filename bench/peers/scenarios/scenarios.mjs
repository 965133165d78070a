/** All that is measured, in the order in which it is. */
import { bulk } from './bulk.mjs';
import { connect } from './connect.mjs';
import { imports } from './import.mjs';
import { roundTrips } from './round-trips.mjs';

/**
 * Each has a `name` for `--only`, a `title`, `cases` with names, `measures` (what `run` answers, and how that is called), and `run`, which
 * measures one case with one stack once, in new processes, and throws when the stack fails. `rounds` says how often, if not as often
 * as the others.
 */
export const SCENARIOS = [connect, bulk, roundTrips, imports];
