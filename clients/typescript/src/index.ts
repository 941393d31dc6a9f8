import createClient, { type Client } from "openapi-fetch";
import type { components, operations, paths } from "./api.js";
import { PadimError, readProblem } from "./errors.js";
import { followJob } from "./jobs.js";
import { type Patience, repeatable, withRetries } from "./retries.js";

export type { components, operations, paths } from "./api.js";
export { PadimError } from "./errors.js";

/** The contracts of the service by name: `Schemas["ScoreResponse"]`. */
export type Schemas = components["schemas"];

/** Where the service is, and how patient the client is. */
export interface PadimOptions extends Patience {
  /** Address of the service; a path is kept. By default that of the page, or `http://localhost:8080`. */
  address?: string;
  /** The key, sent as a bearer token. */
  key?: string;
  /** What sends requests, in place of `fetch`. */
  fetch?: typeof fetch;
}

/** What to score with, what to add, and what the part is called. */
export interface ScoreOptions extends NonNullable<operations["ScoreImage"]["parameters"]["query"]> {
  part?: string;
  station?: string;
  lot?: string;
  inspection?: string;
  /** Milliseconds after which the score is of no use, retries included. */
  deadline?: number;
  signal?: AbortSignal;
}

/** An image with its name. */
export interface ImageFile {
  name: string;
  data: Blob;
}

/** What became of a file: it is stored, or refused. */
export type UploadResult =
  | { fileName: string; image: Schemas["AcceptedImage"] }
  | { fileName: string; error: Schemas["RejectedFile"] };

const filesPerRequest = 32;

/** A client of PaDiM.Service. What has no method of its own is a typed call of {@link Padim.api}. */
export class Padim {
  /** All operations, with their types: `api.GET("/v1/categories/{category}", ...)`. */
  readonly api: Client<paths>;

  constructor({ address, key, fetch: send = fetch, ...patience }: PadimOptions = {}) {
    const base = address ?? globalThis.location?.origin ?? "http://localhost:8080";
    this.api = createClient<paths>({
      baseUrl: base.replace(/\/+$/, ""),
      fetch: withRetries((request) => send(request), patience),
      ...(key ? { headers: { Authorization: `Bearer ${key}` } } : {}),
    });
  }

  /** Scores one image. */
  async score(category: string, image: Blob, options: ScoreOptions = {}): Promise<Schemas["ScoreResponse"]> {
    const answer = await this.#score(category, image, options, "application/json", "json");
    return (await take(answer)) as Schemas["ScoreResponse"];
  }

  /** Scores one image, and gets the heatmap over it; with `heatmap: "map"` or `"mask"`, that alone. */
  async heatmap(
    category: string,
    image: Blob,
    options: ScoreOptions = {},
    accept: "image/png" | "image/jpeg" | "image/webp" | "application/x-npy" = "image/png",
  ): Promise<Blob> {
    return (await take(await this.#score(category, image, options, accept, "blob"))) as Blob;
  }

  /**
   * Uploads images, 32 a request. Images that are stored already are recognised, so an upload that was broken off can
   * be repeated. The next request begins as its results are taken.
   */
  async *upload(
    category: string,
    images: Iterable<ImageFile> | AsyncIterable<ImageFile>,
    query: Pick<NonNullable<operations["UploadImages"]["parameters"]["query"]>, "label" | "defect" | "heldOut"> = {},
    progress: (files: number) => void = () => {},
  ): AsyncGenerator<UploadResult> {
    let done = 0;
    for await (const files of chunk(images, filesPerRequest)) {
      const form = new FormData();
      for (const { name, data } of files) form.append("files", data, name);
      const { accepted, rejected } = await this.#upload(category, query, form);
      progress((done += files.length));
      for (const image of accepted) yield { fileName: image.fileName, image };
      for (const error of rejected) yield { fileName: error.fileName, error };
    }
  }

  /** Fits a model, and waits for it. */
  async fit(
    category: string,
    request: Schemas["FitRequest"] = {},
    progress?: (job: Schemas["JobResponse"]) => void,
  ): Promise<Schemas["ModelResponse"]> {
    const started = await this.api.POST("/v1/categories/{category}/fits", {
      params: { path: { category }, header: { "Idempotency-Key": crypto.randomUUID() } },
      headers: { [repeatable]: "yes" },
      body: request,
    });
    const job = await this.wait((await take(started)).id, progress);
    return take(
      await this.api.GET("/v1/categories/{category}/models/{version}", {
        params: { path: { category, version: job.modelVersion! } },
      }),
    );
  }

  /** Follows a job: yields it every time that it changes, until it is final. Lost connections are opened again. */
  follow(id: string, signal?: AbortSignal): AsyncGenerator<Schemas["JobResponse"]> {
    return followJob(this.api, id, signal);
  }

  /** Waits until a job has succeeded. If it fails, the error has the job's code. */
  async wait(
    id: string,
    progress: (job: Schemas["JobResponse"]) => void = () => {},
    signal?: AbortSignal,
  ): Promise<Schemas["JobResponse"]> {
    let last: Schemas["JobResponse"] | undefined;
    for await (const job of this.follow(id, signal)) progress((last = job));
    if (last?.state === "succeeded") return last;
    const error = last?.error ?? { code: "job_cancelled", detail: `The job ${id} was cancelled.` };
    throw new PadimError(error.code, null, error.detail);
  }

  async #score(category: string, image: Blob, options: ScoreOptions, accept: string, parseAs: "json" | "blob") {
    const { part, station, lot, inspection, deadline, signal, ...query } = options;
    const header = {
      ...(part !== undefined ? { "X-Part-Id": toAscii(part) } : {}),
      ...(station !== undefined ? { "X-Station-Id": toAscii(station) } : {}),
      ...(lot !== undefined ? { "X-Lot-Id": toAscii(lot) } : {}),
      ...(deadline !== undefined ? { "X-Deadline-Ms": Math.max(1, Math.floor(deadline)) } : {}),
      // A retry repeats the identifier, so that an inspection is kept once.
      "X-Inspection-Id": inspection ?? crypto.randomUUID(),
    };
    return this.api.POST("/v1/categories/{category}/score", {
      params: { path: { category }, query, header },
      headers: { Accept: accept, "Content-Type": "application/octet-stream", [repeatable]: "yes" },
      body: image as never,
      bodySerializer: (body) => body as unknown as Blob,
      parseAs,
      ...(signal ? { signal } : {}),
    });
  }

  async #upload(
    category: string,
    query: NonNullable<operations["UploadImages"]["parameters"]["query"]>,
    form: FormData,
  ): Promise<Schemas["UploadResponse"]> {
    try {
      return await take(
        await this.api.POST("/v1/categories/{category}/images", {
          params: { path: { category }, query },
          headers: { [repeatable]: "yes" },
          body: form as never,
          bodySerializer: (body) => body as unknown as FormData,
        }),
      );
    } catch (problem) {
      if (problem instanceof PadimError && problem.errors.length > 0)
        return { accepted: [], rejected: [...problem.errors] };
      throw problem;
    }
  }
}

/** Gets the data of an answer of {@link Padim.api}, or throws its problem as a {@link PadimError}. */
export async function take<T>(answer: { data?: T; error?: unknown; response: Response }): Promise<T> {
  if (answer.response.ok) return answer.data as T;
  const text = typeof answer.error === "string" ? answer.error : JSON.stringify(answer.error ?? null);
  throw await readProblem(new Response(text, { status: answer.response.status, headers: answer.response.headers }));
}

/** Headers hold ASCII; the service keeps question marks for the rest. */
const toAscii = (name: string) => name.replace(/[^ -~]/gu, "?");

async function* chunk<T>(items: Iterable<T> | AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let taken: T[] = [];
  for await (const item of items) {
    taken.push(item);
    if (taken.length === size) {
      yield taken;
      taken = [];
    }
  }
  if (taken.length > 0) yield taken;
}
