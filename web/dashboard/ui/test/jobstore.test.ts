import { test } from "node:test";
import assert from "node:assert/strict";
import { until } from "./browser";
import { ApiError } from "../src/api";
import { childrenOf, ended, JobStore, hasState } from "../src/jobstore";
import type { Job } from "../src/types";

const bare = (id: string, state: string, more: Partial<Job> = {}): Job => ({ id, kind: "deploy", title: id, state, progress: { n: 0, m: 0 }, error: "", children: [], attention: false, ...more });
const line = (job: string, text: string) => ({ job, time: "2026-01-01T00:00:00Z", text });

async function opened(root: Job): Promise<JobStore> {
  const store = new JobStore("job:" + root.id, () => Promise.resolve(root));
  await store.open();
  return store;
}

test("an answer and the stream make one tree", async () => {
  const store = await opened(bare("r", "running", { user: "ann", retry_of: "q", children: [bare("a", "running"), bare("b", "waiting")] }));
  store.receive("job", bare("a", "failed", { parent: "r", error: "no" }), "");
  store.receive("job", bare("c", "ready", { parent: "a" }), "");
  store.receive("job", bare("r", "failed"), "");
  store.receive("log", line("a", "one"), "5,a=5-0");
  store.receive("log", line("a", "two"), "5,a=5-1");
  await until("the tree", () => store.tree.value?.jobs.size === 4);
  const tree = store.tree.value!;
  assert.deepEqual(childrenOf(tree, "r").map((j) => j.id), ["a", "b"]);
  assert.deepEqual(childrenOf(tree, "a").map((j) => j.id), ["c"]);
  assert.deepEqual([tree.jobs.get("r")?.user, tree.jobs.get("r")?.retry_of, tree.jobs.get("r")?.state], ["ann", "q", "failed"]);
  assert.deepEqual(tree.lines.get("a")?.map((l) => l.text), ["one", "two"]);
  assert.deepEqual([hasState(tree, "r", ["failed"]), hasState(tree, "b", ["failed"]), ended(tree.jobs.get("a")), ended(tree.jobs.get("b"))], [true, false, true, false]);
});

test("it goes on behind the last line that it saw", async () => {
  const store = await opened(bare("r", "running"));
  const first = store.topic();
  store.receive("log", line("r", "x"), "5,r=5-0");
  store.receive("job", bare("r", "running"), "7-12");
  assert.deepEqual([first, store.topic()], ["job:r", "job:r@5%2Cr%3D5-0"]);
});

test("after its end it asks for nothing more, and has the answer's words", async () => {
  let root = bare("r", "running");
  const store = new JobStore("job:r", () => Promise.resolve(root));
  await store.open();
  store.receive("job", bare("r", "running"), "");
  root = bare("r", "succeeded", { user: "ann" });
  store.receive("end", root, "");
  await until("the end", () => store.tree.value?.jobs.get("r")?.state === "succeeded");
  assert.equal(store.topic(), "");
});

test("an answer that comes late does not undo what the stream said", async () => {
  let give = (_: Job) => {};
  const store = new JobStore("job:r", () => new Promise((done) => { give = done; }));
  const opening = store.open();
  store.receive("job", bare("a", "succeeded", { parent: "r" }), "");
  give(bare("r", "running", { user: "ann", children: [bare("a", "running")] }));
  await opening;
  assert.equal(store.tree.value?.jobs.get("a")?.state, "succeeded");
});

test("a job that there is not is missing; one that can't be asked for is not", async () => {
  const store = new JobStore("job:r", () => Promise.reject(new ApiError(404, "job r does not exist")));
  await store.open();
  const cut = new JobStore("job:r", () => Promise.reject(new ApiError(0, "away")));
  await cut.open();
  const refused = await opened(bare("r", "running"));
  refused.receive("gone", { topic: "job:r", text: "it is no more" }, "");
  assert.deepEqual([store.missing.value, store.error.value, store.topic()], [true, "Job r does not exist", ""]);
  assert.deepEqual([cut.missing.value, cut.error.value, cut.topic()], [false, "Away", "job:r"]);
  assert.deepEqual([refused.missing.value, refused.topic()], [true, ""]);
});

test("it asks again when the pacemaker is back, if it has no answer yet", async () => {
  let asked = 0;
  const store = new JobStore("job:r", () => ++asked === 1 ? Promise.reject(new ApiError(0, "away")) : Promise.resolve(bare("r", "running")));
  await store.open();
  store.hello();
  await until("the tree", () => store.tree.value?.root === "r");
  store.hello();
  const none = new JobStore("job:n", () => { asked++; return Promise.reject(new ApiError(404, "no")); });
  await none.open();
  none.hello();
  assert.deepEqual([asked, store.error.value], [3, ""]);
});

test("the oldest lines of a long log go", async () => {
  const store = await opened(bare("r", "running"));
  for (let i = 0; i < 5100; i++) store.receive("log", line("r", String(i)), `${i}`);
  await until("the lines", () => store.tree.value?.lines.get("r")?.at(-1)?.text === "5099");
  assert.deepEqual([store.tree.value?.lines.get("r")?.length, store.tree.value?.lines.get("r")?.[0]?.text], [5000, "100"]);
});
