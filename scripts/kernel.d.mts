export function compileKernel(): Promise<Uint8Array>;
export function moduleSource(binary: Uint8Array): string;
