// The walk of the README, with the built client: node test/walk.mjs ADDRESS CATEGORY FOLDER
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Padim, PadimError, take } from "../dist/index.js";

const [address, category, folder] = process.argv.slice(2);
const client = new Padim({ address });
const read = async (name) => ({ name, data: new Blob([await readFile(join(folder, name))]) });

const settings = { imageSize: 64, reduction: { dimensions: 16 }, blurSigma: 2 };
const path = { category };
const created = await take(await client.api.PUT("/v1/categories/{category}", { params: { path }, body: settings }));
assert.equal(created.imageSize, 64);

const names = (await readdir(folder)).filter((name) => name.startsWith("good-")).sort();
const counts = [];
const results = [];
async function* images() {
  for (const name of names) yield read(name);
  yield { name: "Prüfling.png", data: new Blob(["no image"]) };
}
for await (const result of client.upload(category, images(), {}, (files) => counts.push(files))) results.push(result);
assert.equal(results.filter((result) => "image" in result).length, names.length);
assert.equal(results.at(-1).fileName, "Prüfling.png");
assert.ok(results.at(-1).error.code);
assert.deepEqual(counts, [32, names.length + 1]);

const states = [];
const model = await client.fit(category, {}, (job) => states.push(job.state));
assert.equal(model.version, 1);
assert.equal(states.at(-1), "succeeded");

const bad = (await read("bad.bmp")).data;
const score = await client.score(category, bad, { part: "Prüfling 1", deadline: 60_000, contours: true });
assert.equal(score.decision, "anomalous");
assert.ok(score.regions[0].contour.length > 2);
const heatmap = await client.heatmap(category, bad);
assert.equal((await heatmap.slice(1, 4).text()), "PNG");

const change = { params: { path }, body: { falseRejectRate: 0.2 } };
const preview = await take(await client.api.POST("/v1/categories/{category}/threshold/preview", change));
const changed = await take(await client.api.PATCH("/v1/categories/{category}/threshold", change));
assert.equal(changed.threshold, preview.proposedThreshold);

const frame = await client.score(category, new Blob([new Uint8Array(64 * 48)]), { width: 64, height: 48, format: "gray8" });
assert.equal(frame.image.width, 64);
await assert.rejects(client.score("nothing-here", bad), (problem) => {
  assert.ok(problem instanceof PadimError);
  assert.equal(problem.code, "category_not_found");
  assert.equal(problem.status, 404);
  return true;
});
