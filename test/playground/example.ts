/** The modules of examples/playground that need no page, as the tests see them. */
export interface Settings {
  seed: number;
  peers: number;
  latency: number;
  jitter: number;
  loss: number;
  rate: number;
  nats: string[];
  speed: number;
  record: boolean;
}

export interface Action {
  readonly at: number;
  readonly kind: string;
  readonly args: readonly (string | number)[];
}

interface SettingsModule {
  readonly defaultSettings: (seed?: number) => Settings;
  readonly encodeLink: (settings: Settings, actions?: readonly Action[]) => string;
  readonly decodeLink: (fragment: string, seed?: number) => { settings: Settings; actions: Action[] };
}

export interface Label {
  readonly kind: string;
  readonly text: string;
}

interface Datagram {
  readonly length: number;
  readonly from: string;
}

export interface World {
  readonly now: number;
  readonly datagrams: readonly Datagram[];
  readonly connections: readonly { readonly ends: readonly End[] }[];
  readonly journal: readonly { readonly at: number; readonly text: string }[];
  label(index: number): Label | undefined;
  digest(): string;
  step(): void;
  act(action: Pick<Action, 'kind' | 'args'>): void;
}

interface End {
  readonly state: string;
  readonly received: number;
  readonly reason?: { readonly code: string };
  readonly recorder: { readonly trace: import('../../src/trace/index.ts').Trace };
}

export interface Arrow {
  readonly id: number;
  readonly from: number;
  readonly to: number;
  readonly y: number;
  readonly ends: readonly number[];
  readonly label: string;
  readonly lost?: string;
}

interface Ladder {
  readonly arrows: readonly Arrow[];
  readonly top: number;
  readonly bottom: number;
  take(source: unknown): boolean;
  visible(from: number, to: number): Iterable<Arrow>;
  at(id: number): Arrow | undefined;
}

interface LadderModule {
  readonly LiveLadder: new (lanes: readonly string[], capacity?: number) => Ladder;
  readonly rowHeight: (elapsed: number) => number;
}

interface PlotModule {
  readonly roundStep: (least: number) => number;
  readonly scaleFor: (largest: number, count?: number) => { top: number; ticks: number[] };
  readonly timeTicks: (from: number, to: number) => number[];
  readonly rateUnit: (bits: number) => { name: string; size: number };
  readonly digits: (value: number) => string;
}

interface PaceModule {
  readonly Pace: new () => {
    speed: number;
    isPaused: boolean;
    readonly kept: number;
    frame(now: number, step: () => void, clock: () => number): number;
  };
}

interface TraceModule {
  readonly readTraceFile: (
    text: string,
    onProgress?: (share: number) => void,
  ) => { ladder: unknown; entries: unknown; summary: [string, string][]; states: Record<string, unknown> };
  readonly TraceLadder: new (
    packed: unknown,
  ) => Omit<Ladder, 'take' | 'arrows'> & { readonly lanes: string[] };
  readonly PackedTexts: new (packed: unknown) => { readonly length: number; at(index: number): string };
}

const load = (name: string): Promise<unknown> =>
  import(new URL(`../../examples/playground/src/${name}.js`, import.meta.url).pathname);

export const settings = (await load('settings')) as SettingsModule;
export const { World } = (await load('world')) as { World: new (settings: Settings) => World };
export const ladder = (await load('ladder-model')) as LadderModule;
export const plots = (await load('plot-model')) as PlotModule;
export const pace = (await load('pace')) as PaceModule;
export const traces = (await load('trace-model')) as TraceModule;
