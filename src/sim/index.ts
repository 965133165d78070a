/**
 * `sansrtc/sim`: a deterministic network for tests, the library's and yours.
 *
 * @module
 */
export { Network } from './network.ts';
export type { LinkEnd, NetworkInspection, NetworkOptions } from './network.ts';
export type { Outcome, RunOptions, RunReport } from './loop.ts';
export type { AttachOptions, HostOptions, HostServices, SimPeer } from './host.ts';
export { Host, NetworkInterface } from './host.ts';
export { Link } from './link.ts';
export type { LinkCounter, LinkLoss, Verdict } from './link.ts';
export { burstLoss } from './conditions.ts';
export type {
  GilbertElliott,
  LinkConditions,
  PathConditions,
  ResolvedBurst,
  ResolvedConditions,
} from './conditions.ts';
export { congested, lan, lte, satellite, wifi } from './presets.ts';
export { SWAP_LIMIT } from './faults.ts';
export type { Fault } from './faults.ts';
export { applyFaults } from './fault-plan.ts';
export type { PlannedFault, Way } from './fault-plan.ts';
export { CUT_FAULTS, cutAnywhere, CutFailure } from './cut-anywhere.ts';
export type { CutFault, CutOptions, CutPlace, CutReport, CutScenario, CutStage } from './cut-anywhere.ts';
export { memoizedCrypto } from './memoized-crypto.ts';
export { FIRST_NAT_PORT, Nat, NAT_KINDS } from './nat.ts';
export type { NatBehaviour, NatKind, NatOptions } from './nat.ts';
export type { DatagramRecord, Fate, Loss } from './log.ts';
export { ContractViolation } from './violation.ts';
export type { Rule, ViolationPlace } from './violation.ts';
export type {
  PeerEvent,
  SimEvent,
  SimInput,
  SimMachine,
  SimOutput,
  SimRequest,
  SimTimeout,
  SimTransmit,
} from './machine.ts';
export { SimTurnServer } from './turn-server.ts';
export type { SimTurnServerOptions } from './turn-server.ts';
