import type { FastifyError, FastifyReply } from 'fastify';
import { EXIT, ForesizeError, type Problem } from '../../core/errors.ts';

/** An error of the server's own, with its status. */
export class HttpProblem extends ForesizeError {
  readonly status: number;

  constructor(status: number, problem: Problem | readonly Problem[]) {
    super(problem, EXIT.usage);
    this.name = 'HttpProblem';
    this.status = status;
  }
}

/** Where the code alone tells the status: what is asked for is not there, or the request itself is wrong. */
const BY_CODE: Readonly<Record<string, number>> = {
  APPLICATION_UNKNOWN: 404,
  VM_UNKNOWN: 404,
  RECOMMENDATION_UNKNOWN: 404,
  POLICY_UNKNOWN: 422,
  RESOURCE_UNKNOWN: 422,
  PREDICTION_OPTIONS: 422,
};

/** What is refused in the present state is a conflict; what broke behind the server is not the client's fault. */
function statusOf(error: ForesizeError): number {
  if (error instanceof HttpProblem) return error.status;
  return BY_CODE[error.code] ?? (error.exitCode === EXIT.runtime ? 503 : 409);
}

const FASTIFY: Readonly<Record<string, { code: string; status: number; remedy: string }>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: {
    code: 'BODY_TOO_LARGE',
    status: 413,
    remedy: 'send less; see api.limits.bodyKib',
  },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    code: 'BODY_TYPE',
    status: 415,
    remedy: 'send Content-Type: application/json',
  },
  FST_ERR_CTP_EMPTY_JSON_BODY: {
    code: 'BODY_NOT_JSON',
    status: 400,
    remedy: 'send a JSON object, {} at least',
  },
  FST_ERR_CTP_INVALID_JSON_BODY: { code: 'BODY_NOT_JSON', status: 400, remedy: 'correct the JSON' },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    code: 'BODY_LENGTH',
    status: 400,
    remedy: 'send a right Content-Length',
  },
};

/** Any error as one that can be sent; undefined for a fault of the server. */
export function asProblem(error: FastifyError | Error): HttpProblem | undefined {
  if (error instanceof ForesizeError) return new HttpProblem(statusOf(error), error.problems);
  const known = FASTIFY[(error as FastifyError).code];
  if (known)
    return new HttpProblem(known.status, { code: known.code, what: error.message, remedy: known.remedy });
  const status = (error as FastifyError).statusCode;
  return status !== undefined && status < 500
    ? new HttpProblem(status, { code: 'REQUEST_INVALID', what: error.message })
    : undefined;
}

/** Sends a problem document, RFC 9457, with the fields of a coded error beside the standard ones. */
export function sendProblem(reply: FastifyReply, problem: HttpProblem): FastifyReply {
  const [first] = problem.problems;
  return reply
    .code(problem.status)
    .type('application/problem+json')
    .send(
      JSON.stringify({
        type: `urn:foresize:problem:${problem.code}`,
        title: first?.what ?? 'unknown',
        status: problem.status,
        code: problem.code,
        where: first?.where,
        remedy: first?.remedy,
        problems: problem.problems,
      }),
    );
}
