import type { ProphetOptions } from '@bsull/augurs/prophet';

/** What the core needs from outside to run augurs (grafana/augurs, compiled to WebAssembly). */
export interface AugursRuntime {
  /** Bytes of `@bsull/augurs/<part>`'s module. */
  wasm(part: 'prophet' | 'ets' | 'mstl'): Promise<Uint8Array>;
  /** The Stan optimiser of `@bsull/augurs-prophet-wasmstan`. */
  optimizer(): Promise<ProphetOptions['optimizer']>;
}
