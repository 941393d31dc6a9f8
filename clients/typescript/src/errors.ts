import type { components } from "./api.js";

type Problem = components["schemas"]["ProblemResponse"];

/** A request that failed: what the service answered (RFC 9457), or why there is no answer. */
export class PadimError extends Error {
  override readonly name = "PadimError";

  /**
   * @param code Stable code, such as `category_not_found`; `unreachable`, `deadline_passed`, `unexpected_answer` and
   *   `job_cancelled` are the client's own.
   * @param status Status of the answer; null if there is none.
   * @param detail What is wrong, and what to do.
   * @param errors The refused files of an upload without a valid one.
   * @param retryAfter Seconds after which the service asks for the next try; null if it does not.
   */
  constructor(
    readonly code: string,
    readonly status: number | null,
    readonly detail: string,
    readonly errors: readonly components["schemas"]["RejectedFile"][] = [],
    readonly retryAfter: number | null = null,
    options?: ErrorOptions,
  ) {
    super(`${detail} (${status === null ? "" : `${status} `}${code})`, options);
  }
}

/** Gets the seconds of `Retry-After`; null if there are none. */
export function getRetryAfter(response: Response): number | null {
  const value = response.headers.get("Retry-After") ?? "";
  return /^\d+$/.test(value) ? Number(value) : null;
}

/** Reads the problem of an answer that has failed. */
export async function readProblem(response: Response): Promise<PadimError> {
  const retryAfter = getRetryAfter(response);
  try {
    const problem = (await response.json()) as Partial<Problem> | null;
    if (typeof problem?.code === "string") {
      const errors = Array.isArray(problem.errors) ? problem.errors : [];
      return new PadimError(problem.code, response.status, problem.detail ?? problem.code, errors, retryAfter);
    }
  } catch {
    // A proxy's page, or another program's.
  }
  const type = response.headers.get("Content-Type") ?? "no content type";
  return new PadimError(
    "unexpected_answer",
    response.status,
    `The answer is not the service's, but a proxy's or another program's: ${type}.`,
    [],
    retryAfter,
  );
}
