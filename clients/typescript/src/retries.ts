import { getRetryAfter, PadimError } from "./errors.js";

/** How patient the client is. */
export interface Patience {
  /** How often a request is sent again; 3 by default. */
  retries?: number;
  /** The longest `Retry-After` that is waited for, in seconds; 30 by default. A longer one is an error at once. */
  longestWait?: number;
}

/** Marks requests that have the effect of one however often they are sent. */
export const repeatable = "X-Padim-Client-Repeatable";

/** Makes a `fetch` that sends requests again where that can help, and carries what is left of a deadline. */
export function withRetries(send: typeof fetch, { retries = 3, longestWait = 30 }: Patience) {
  return async (request: Request): Promise<Response> => {
    const isRepeatable = request.headers.has(repeatable) || request.method !== "POST";
    const deadline = Number(request.headers.get("X-Deadline-Ms") ?? Infinity);
    const startedAt = performance.now();
    request.headers.delete(repeatable);
    for (let tries = 0; ; tries++) {
      const left = deadline - (performance.now() - startedAt);
      if (left < 1) throw passed();
      const attempt = request.clone();
      if (deadline !== Infinity) attempt.headers.set("X-Deadline-Ms", String(Math.floor(left)));
      let wait: number | null = null;
      let failure: unknown;
      try {
        const signals = deadline === Infinity ? [request.signal] : [request.signal, AbortSignal.timeout(Math.ceil(left))];
        const response = await send(new Request(attempt, { signal: AbortSignal.any(signals) }));
        wait = getRetryAfter(response);
        const isProblem = response.headers.get("Content-Type")?.startsWith("application/problem+json") ?? false;
        const isRefusal = wait !== null && (response.status === 429 || response.status === 503);
        const isProxy = isRepeatable && !isProblem && [502, 503, 504].includes(response.status);
        if (!isRefusal && !isProxy) return response;
        if (tries >= retries || (wait ?? 0) > longestWait || (wait ?? 0) * 1000 >= left) return response;
        await response.body?.cancel();
      } catch (fault) {
        if (request.signal.aborted) throw fault;
        if (performance.now() - startedAt >= deadline) throw passed(fault);
        failure = fault;
      }
      if (failure !== undefined && (!isRepeatable || tries >= retries))
        throw new PadimError("unreachable", null, "The service cannot be reached, or the connection was lost.", [], null, {
          cause: failure,
        });
      await pause((wait ?? 0.2 * 2 ** tries) * 1000);
    }
  };
}

/** Waits for some milliseconds. */
export const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

const passed = (cause?: unknown) =>
  new PadimError("deadline_passed", null, "The deadline passed without a score.", [], null, { cause });
