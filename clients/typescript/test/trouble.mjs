// Against a service that misbehaves: node test/trouble.mjs ADDRESS
import assert from "node:assert/strict";
import { Padim, take } from "../dist/index.js";

const client = new Padim({ address: process.argv[2], retries: 2 });
const image = new Blob(["1"]);
assert.equal((await client.score("flange", image)).score, 1.5);

const get = async (category) =>
  take(await client.api.GET("/v1/categories/{category}", { params: { path: { category } } }));
const refusals = {
  rate_limited: () => get("limited"),
  unreachable: () => get("lost"),
  deadline_passed: () => client.score("silent", image, { deadline: 200 }),
  job_cancelled: () => client.wait("j"),
};
for (const [code, call] of Object.entries(refusals))
  await assert.rejects(call, (problem) => {
    assert.equal(problem.code, code, problem);
    return true;
  });
