import { EventSourceParserStream } from "eventsource-parser/stream";
import type { Client } from "openapi-fetch";
import type { components, paths } from "./api.js";
import { PadimError, readProblem } from "./errors.js";
import { pause } from "./retries.js";

type Job = components["schemas"]["JobResponse"];

const mostFailures = 20;
const final: readonly string[] = ["succeeded", "failed", "cancelled"];

/** Reads the events of a job, over as many connections as it takes. */
export async function* followJob(api: Client<paths>, id: string, signal?: AbortSignal): AsyncGenerator<Job> {
  let last = "";
  let lastId = "";
  for (let failures = 0; ; ) {
    try {
      const { response, error } = await api.GET("/v1/jobs/{id}/events", {
        params: { path: { id } },
        headers: { Accept: "text/event-stream", ...(lastId ? { "Last-Event-ID": lastId } : {}) },
        parseAs: "stream",
        ...(signal ? { signal } : {}),
      });
      if (!response.ok || !response.body)
        throw await readProblem(new Response(JSON.stringify(error ?? null), response));
      const events = response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
      const reader = events.getReader();
      // Not every browser can go through a stream with `for await`.
      for (let read = await reader.read(); !read.done; read = await reader.read()) {
        const event = read.value;
        lastId = event.id ?? lastId;
        if (event.event !== "job" || event.data === last) continue;
        [last, failures] = [event.data, 0];
        const job = JSON.parse(last) as Job;
        yield job;
        if (final.includes(job.state)) return;
      }
    } catch (fault) {
      const isLasting = fault instanceof PadimError && ![null, 429, 502, 503, 504].includes(fault.status);
      if (signal?.aborted || isLasting || failures >= mostFailures) throw fault;
    }
    if (++failures > mostFailures)
      throw new PadimError("unreachable", null, "The events of the job end before the job does.");
    await pause(Math.min(2 ** (failures - 1), 15) * 1000);
  }
}
