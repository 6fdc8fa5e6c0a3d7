import { EXIT, ForesizeError } from '../../core/errors.ts';
import type { TrackedRun } from './runs.ts';

export interface MlflowOptions {
  /** Of the tracking server: http://HOST:5000 */
  readonly url: string;
  readonly experiment: string;
  /** `Authorization` header, when the server wants one. */
  readonly authorization?: string | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** The server takes so many params, tags or metrics in one call. */
const MOST = { params: 100, tags: 100, metrics: 1000 } as const;
const LONGEST = { param: 500, tag: 5000 } as const;
const TIMEOUT_MS = 30_000;

/**
 * Logs runs to an MLflow server by its REST API (2.0): axes as params, measures as metrics. A run that is there
 * already, by the tag `foresize.id`, is not logged again.
 * @returns how many were logged and how many were there
 * @throws ForesizeError TRACKING_MLFLOW_UNREACHABLE, TRACKING_MLFLOW_REFUSED
 */
export async function logToMlflow(
  runs: readonly TrackedRun[],
  options: MlflowOptions,
): Promise<{ logged: number; present: number }> {
  const api = new Api(options);
  const experiment = await experimentId(api, options.experiment);
  const present = await presentIds(api, experiment);
  let logged = 0;
  for (const [i, run] of runs.entries()) {
    options.onProgress?.(i, runs.length);
    if (present.has(run.tags['foresize.id']!)) continue;
    await logRun(api, experiment, run);
    logged++;
  }
  options.onProgress?.(runs.length, runs.length);
  return { logged, present: runs.length - logged };
}

async function experimentId(api: Api, name: string): Promise<string> {
  const found = await api.get<{ experiment: { experiment_id: string } }>(
    `experiments/get-by-name?experiment_name=${encodeURIComponent(name)}`,
    { missing: true },
  );
  if (found) return found.experiment.experiment_id;
  return (await api.post<{ experiment_id: string }>('experiments/create', { name })).experiment_id;
}

/** Only whole runs count: one that was cut off while it was logged is still RUNNING, and is logged anew. */
async function presentIds(api: Api, experiment: string): Promise<Set<string>> {
  const ids = new Set<string>();
  let token: string | undefined;
  do {
    const page = await api.post<{
      runs?: { data: { tags?: { key: string; value: string }[] } }[];
      next_page_token?: string;
    }>('runs/search', {
      experiment_ids: [experiment],
      filter: "attributes.status = 'FINISHED'",
      max_results: 1000,
      ...(token !== undefined && { page_token: token }),
    });
    for (const { data } of page.runs ?? []) {
      const id = data.tags?.find(({ key }) => key === 'foresize.id')?.value;
      if (id !== undefined) ids.add(id);
    }
    token = page.next_page_token || undefined;
  } while (token !== undefined);
  return ids;
}

async function logRun(api: Api, experiment: string, run: TrackedRun): Promise<void> {
  const { run: created } = await api.post<{ run: { info: { run_id: string } } }>('runs/create', {
    experiment_id: experiment,
    run_name: run.name,
    start_time: run.startMs,
    tags: [{ key: 'mlflow.source.name', value: 'foresize' }],
  });
  const id = created.info.run_id;
  const params = Object.entries(run.parameters).map(([key, value]) => ({
    key,
    value: value.slice(0, LONGEST.param),
  }));
  const tags = Object.entries(run.tags).map(([key, value]) => ({ key, value: value.slice(0, LONGEST.tag) }));
  const metrics = Object.entries(run.metrics).map(([key, value]) => ({
    key,
    value,
    timestamp: run.endMs,
    step: 0,
  }));
  for (const [field, entries] of Object.entries({ params, tags, metrics })) {
    const most = MOST[field as keyof typeof MOST];
    for (let at = 0; at < entries.length; at += most) {
      await api.post('runs/log-batch', { run_id: id, [field]: entries.slice(at, at + most) });
    }
  }
  await api.post('runs/update', { run_id: id, status: 'FINISHED', end_time: run.endMs });
}

class Api {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor({ url, authorization }: MlflowOptions) {
    this.#url = url.replace(/\/+$/, '');
    this.#headers = {
      'content-type': 'application/json',
      ...(authorization !== undefined && { authorization }),
    };
  }

  async get<T>(path: string, options: { missing: true }): Promise<T | undefined> {
    const response = await this.#fetch(path, { method: 'GET' });
    if (options.missing && response.status === 404) return undefined;
    return this.#answer<T>(path, response);
  }

  async post<T = unknown>(path: string, body: unknown): Promise<T> {
    const response = await this.#fetch(path, { method: 'POST', body: JSON.stringify(body) });
    return this.#answer<T>(path, response);
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    try {
      return await fetch(`${this.#url}/api/2.0/mlflow/${path}`, {
        ...init,
        headers: this.#headers,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
    } catch (cause) {
      const why = (cause as Error & { cause?: Error }).cause ?? (cause as Error);
      throw new ForesizeError(
        {
          code: 'TRACKING_MLFLOW_UNREACHABLE',
          what: `the MLflow server cannot be reached: ${why.message}`,
          where: this.#url,
          remedy: 'start it, or correct the URL; what was logged is not logged again',
        },
        EXIT.runtime,
        cause,
      );
    }
  }

  async #answer<T>(path: string, response: Response): Promise<T> {
    const text = await response.text();
    if (response.ok) return JSON.parse(text) as T;
    throw new ForesizeError(
      {
        code: 'TRACKING_MLFLOW_REFUSED',
        what: `the MLflow server answered ${response.status} to ${path.split('?')[0]}: ${text.slice(0, 200)}`,
        where: this.#url,
        remedy: 'check the URL, MLFLOW_TRACKING_TOKEN, and the server log',
      },
      EXIT.runtime,
    );
  }
}
