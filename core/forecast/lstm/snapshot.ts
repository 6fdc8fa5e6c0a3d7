import { z } from 'zod';
import { EXIT, ForesizeError } from '../../errors.ts';
import { hashString } from '../../rng.ts';
import { count, type Shapes, type Weights } from './network.ts';

const format = 'foresize-lstm';
const formatVersion = 1;

const header = z.strictObject({
  format: z.literal(format),
  formatVersion: z.literal(formatVersion),
  part: z.enum(['global', 'personal']),
  /** Whose: absent in the global part. */
  applicationId: z.string().optional(),
  userId: z.string().optional(),
  /** Counts accepted trainings of this part. */
  version: z.int().min(1),
  /** The tensor backend that trained it. */
  backend: z.string(),
  /** Training window, ms since the Unix epoch. */
  window: z.strictObject({ from: z.number(), to: z.number() }),
  /** Held-back pinball loss, and what it was before the training; null where nothing was held back. */
  loss: z.number().nullable(),
  lossBefore: z.number().nullable(),
  /** What fixes the meaning of the weights. */
  sizes: z.record(z.string(), z.number()),
  /** `identityOf` the global weights that a personal part was trained on top of. */
  global: z.string().optional(),
});

const file = z.strictObject({
  ...header.shape,
  /** Little-endian 32-bit floats in base64. */
  weights: z.record(z.string(), z.string()),
  /** Slow statistics of the pair's VMs, by vmId, so that a restart forecasts what it would have. */
  vms: z.record(z.string(), z.strictObject({ refreshes: z.int(), rows: z.string() })),
  checksum: z.string(),
});

export type ModelHeader = z.output<typeof header>;

/** A model as it is kept: a personal part may have no weights, only the statistics of its VMs. */
export interface SavedModel {
  readonly header: ModelHeader;
  readonly weights: Weights;
  readonly vms: Readonly<Record<string, { readonly refreshes: number; readonly rows: Float32Array }>>;
}

/** One line of JSON with a checksum over all that it says. */
export function encodeModel(model: SavedModel): string {
  const content = {
    ...model.header,
    weights: Object.fromEntries(Object.entries(model.weights).map(([k, v]) => [k, toBase64(v)])),
    vms: Object.fromEntries(
      Object.entries(model.vms).map(([id, vm]) => [id, { refreshes: vm.refreshes, rows: toBase64(vm.rows) }]),
    ),
  };
  return JSON.stringify({ ...content, checksum: checksum(content) });
}

/** A number for weights, to tell models apart. */
export function identityOf(weights: Weights): string {
  return checksum(Object.entries(weights).map(([name, values]) => [name, toBase64(values)]));
}

/** The error of a model file that cannot be used. */
export function refusal(
  code: 'LSTM_MODEL_CORRUPT' | 'LSTM_MODEL_FOREIGN',
  what: string,
  where: string,
): ForesizeError {
  const remedy =
    'nothing need be done: the model is trained again from history; delete the file to be rid of this';
  return new ForesizeError({ code, what, where, remedy }, EXIT.runtime);
}

/**
 * Reads a model back.
 * @param sizes what the reader's own model has: the file must agree
 * @param shapesOf the shapes of the weights that the file should hold
 * @param where the file, for the error
 * @throws ForesizeError `LSTM_MODEL_CORRUPT` for what is damaged, `LSTM_MODEL_FOREIGN` for a whole file of another
 * kind, format version or size
 */
export function decodeModel(
  text: string,
  sizes: Readonly<Record<string, number>>,
  shapesOf: (header: ModelHeader) => Shapes,
  where: string,
): SavedModel {
  const corrupt = (what: string) => refusal('LSTM_MODEL_CORRUPT', what, where);
  const foreign = (what: string) => refusal('LSTM_MODEL_FOREIGN', what, where);
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw corrupt('the model file is cut off or is not JSON');
  }
  const fields = (typeof content === 'object' && content ? content : {}) as Record<string, unknown>;
  if (fields['format'] !== format || fields['formatVersion'] !== formatVersion) {
    throw foreign(`the file is not of the kind ${format} ${formatVersion}`);
  }
  const parsed = file.safeParse(fields);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw corrupt(`the model file is damaged at ${issue.path.join('.')}: ${issue.message}`);
  }
  const { weights: encoded, vms, checksum: sum, ...head } = parsed.data;
  const { checksum: _, ...signed } = fields;
  if (checksum(signed) !== sum) throw corrupt('the checksum of the model file is wrong');
  for (const [name, size] of Object.entries(sizes)) {
    const theirs = head.sizes[name];
    if (theirs !== size) throw foreign(`the model was made with ${name} ${theirs}, the setting has ${size}`);
  }
  const weights: Record<string, Float32Array> = {};
  const empty = head.part === 'personal' && Object.keys(encoded).length === 0;
  for (const [name, shape] of empty ? [] : Object.entries(shapesOf(head))) {
    const values = fromBase64(encoded[name] ?? '');
    if (values.length !== count(shape) || !values.every(Number.isFinite)) {
      throw corrupt(`the weights "${name}" are not ${count(shape)} finite numbers`);
    }
    weights[name] = values;
  }
  const statistics = Object.entries(vms).map(([id, vm]): [string, SavedModel['vms'][string]] => [
    id,
    { refreshes: vm.refreshes, rows: fromBase64(vm.rows) },
  ]);
  return { header: head, weights, vms: Object.fromEntries(statistics) };
}

/** 64 bits, for damage and mix-ups; it is no seal. */
function checksum(content: unknown): string {
  const text = JSON.stringify(content);
  const half = (salt: string) =>
    hashString(salt + text)
      .toString(16)
      .padStart(8, '0');
  return half('a') + half('b');
}

function toBase64(values: Float32Array): string {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < values.length; i++) view.setFloat32(i * 4, values[i]!, true);
  let text = '';
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(text);
}

function fromBase64(text: string): Float32Array {
  const bytes = atobOrEmpty(text);
  const values = new Float32Array(Math.floor(bytes.length / 4));
  const view = new DataView(Uint8Array.from(bytes, (c) => c.charCodeAt(0)).buffer);
  for (let i = 0; i < values.length; i++) values[i] = view.getFloat32(i * 4, true);
  return values;
}

/** Text that is no base64 reads as nothing: the caller checks the length. */
function atobOrEmpty(text: string): string {
  try {
    return atob(text);
  } catch {
    return '';
  }
}
