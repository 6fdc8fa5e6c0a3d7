import { z } from 'zod';
import { EXIT, ForesizeError } from '../errors.ts';
import { RESOURCES } from '../model.ts';
import { hashString } from '../rng.ts';

const FORMAT = 'foresize-forecast-model';
const VERSION = 2;

/** State by name: numbers as `encodeFloats` writes them, or plain JSON. */
export type SavedState = Readonly<Record<string, unknown>>;

const state = z.record(z.string(), z.unknown());
const loss = z.partialRecord(z.enum(RESOURCES), z.number());

const documentSchema = z.strictObject({
  format: z.literal(FORMAT),
  version: z.literal(VERSION),
  /** The forecaster that wrote it, and with which parameters. */
  forecaster: z.string(),
  parameters: z.string(),
  /** Neither for the model of the whole fleet, no user for an application's. */
  applicationId: z.string().optional(),
  userId: z.string().optional(),
  stepMs: z.number().positive(),
  epochMs: z.number(),
  /** Tick it was written after. */
  tick: z.int(),
  /** Window that the model was last trained on, ISO times, and its error there in units of the request. */
  training: z
    .strictObject({ tick: z.int(), from: z.string(), to: z.string(), samples: z.int(), loss })
    .optional(),
  state,
  /** State of the VMs by vmId, so that forecasts go on without a warm-up. */
  vms: z.record(z.string(), state),
  checksum: z.int(),
});

/** The model of one (application, user), of an application or of all, as it is written down. */
export type ModelDocument = Readonly<z.infer<typeof documentSchema>>;

/** What a document must agree with to be taken. */
export interface ModelIdentity {
  readonly forecaster: string;
  /** A text that differs when the parameters do. */
  readonly parameters: string;
  readonly stepMs: number;
  readonly epochMs: number;
}

/** Completes a document by its format and checksum. */
export function sealDocument(
  identity: ModelIdentity,
  content: Pick<ModelDocument, 'applicationId' | 'userId' | 'tick' | 'training' | 'state' | 'vms'>,
): ModelDocument {
  const sealed = { format: FORMAT, version: VERSION, ...identity, ...content } as const;
  return { ...sealed, checksum: checksum(sealed) };
}

/**
 * Checks a document that was read back.
 * @throws ForesizeError MODEL_CORRUPT when it is not what was written, MODEL_FOREIGN when it belongs to another
 * forecaster, version, configuration or clock. The model is then trained anew.
 */
export function openDocument(value: unknown, identity: ModelIdentity): ModelDocument {
  const given = value as { format?: unknown; version?: unknown } | null | undefined;
  if (given?.format === FORMAT && given.version !== VERSION) {
    throw foreign(`it has version ${String(given.version)}, and this is version ${VERSION}`);
  }
  const parsed = documentSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw corrupt(`it does not read: ${issue?.path.join('.') || 'document'}: ${issue?.message}`);
  }
  const document = parsed.data;
  const { checksum: stated, ...content } = document;
  if (stated !== checksum(content)) throw corrupt('its checksum does not agree with its content');
  for (const key of ['forecaster', 'parameters', 'stepMs', 'epochMs'] as const) {
    if (document[key] !== identity[key]) {
      throw foreign(`its ${key} is ${document[key]}, not ${identity[key]}`);
    }
  }
  return document;
}

/** For state that a document with a good checksum holds and its forecaster cannot read. */
export function corrupt(why: string, cause?: unknown): ForesizeError {
  return refused('MODEL_CORRUPT', why, cause);
}

function foreign(why: string): ForesizeError {
  return refused('MODEL_FOREIGN', why);
}

function refused(code: string, why: string, cause?: unknown): ForesizeError {
  return new ForesizeError(
    {
      code,
      what: `a saved forecast model is refused: ${why}`,
      remedy:
        'nothing is lost but time: the model is trained anew; remove the file to be rid of this message',
    },
    EXIT.runtime,
    cause,
  );
}

/** A hash of the content with its keys in order, so that it survives being parsed and written again. */
function checksum(content: object): number {
  return hashString(stable(content));
}

function stable(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(stable).join(',')}]`;
  if (value !== null && typeof value === 'object') {
    const entries = Object.entries(value).filter(([, v]) => v !== undefined);
    entries.sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([k, v]) => `${JSON.stringify(k)}:${stable(v)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}
