import { test } from "node:test";
import assert from "node:assert/strict";
import { until } from "./browser";
import { ApiError } from "../src/api";
import { ended, JobStore, linesOf } from "../src/jobstore";
import type { Job, Step } from "../src/types";

const bare = (id: string, state: string, more: Partial<Job> = {}): Job => ({ id, kind: "deploy", title: id, state, progress: { n: 0, m: 0 }, error: "", children: [], attention: false, ...more });
const step = (id: string, index: number, state: string, more: Partial<Step> = {}): Step => ({ id, index, name: id, state, progress: { n: 0, m: 0 }, jobs: [id + "job"], children: [], ...more });
const line = (job: string, text: string, time = "2026-01-01T00:00:00Z") => ({ job, time, text });

async function opened(root: Job): Promise<JobStore> {
  const store = new JobStore("job:" + root.id, () => Promise.resolve(root));
  await store.open();
  return store;
}

test("an answer and the stream make one list of steps, in the server's order", async () => {
  const store = await opened(bare("r", "running", { user: "ann", retry_of: "q", steps: [step("build", 0, "running"), step("publish", 2, "waiting")] }));
  store.receive("step", step("build", 0, "succeeded"), "");
  store.receive("step", step("start", 1, "running"), "");
  store.receive("step", step("start/b", 1, "running", { parent: "start" }), "");
  store.receive("step", step("start/a", 0, "failed", { parent: "start" }), "");
  store.receive("job", bare("a", "failed", { parent: "r" }), "");
  store.receive("job", bare("r", "failed"), "");
  store.receive("log", line("buildjob", "one"), "5,a=5-0");
  store.receive("log", line("buildjob", "two"), "5,a=5-1");
  await until("the steps", () => store.tree.value?.steps.length === 3);
  const tree = store.tree.value!;
  assert.deepEqual(tree.steps.map((s) => [s.id, s.state, s.children.map((c) => c.id).join()]), [["build", "succeeded", ""], ["start", "running", "start/a,start/b"], ["publish", "waiting", ""]]);
  assert.deepEqual([tree.root.user, tree.root.retry_of, tree.root.state], ["ann", "q", "failed"]);
  assert.deepEqual(linesOf(tree, tree.steps[0]!).map((l) => l.text), ["one", "two"]);
  assert.deepEqual([ended(tree.steps[0]), ended(tree.steps[1])], [true, false]);
});

test("the lines of a step's jobs come in the order of their times", async () => {
  const store = await opened(bare("r", "running", { steps: [step("drain", 0, "running", { jobs: ["a", "b", "c"] })] }));
  store.receive("log", line("b", "second", "2026-01-01T00:00:02Z"), "");
  store.receive("log", line("a", "first", "2026-01-01T00:00:01Z"), "");
  await until("the lines", () => store.tree.value?.lines.size === 2);
  assert.deepEqual(linesOf(store.tree.value!, store.tree.value!.steps[0]!).map((l) => l.text), ["first", "second"]);
});

test("it goes on behind the last line that it saw", async () => {
  const store = await opened(bare("r", "running"));
  const first = store.topic();
  store.receive("log", line("r", "x"), "5,r=5-0");
  store.receive("job", bare("r", "running"), "7-12");
  assert.deepEqual([first, store.topic()], ["job:r", "job:r@5%2Cr%3D5-0"]);
});

test("after its end it asks for nothing more, and has the answer's words and steps", async () => {
  let root = bare("r", "running", { steps: [step("start", 0, "running")] });
  const store = new JobStore("job:r", () => Promise.resolve(root));
  await store.open();
  store.receive("job", bare("r", "running"), "");
  store.receive("step", step("start", 0, "running"), "");
  root = bare("r", "succeeded", { user: "ann", steps: [step("start", 0, "succeeded"), step("drain", 1, "running")] });
  store.receive("end", root, "");
  await until("the end", () => store.tree.value?.root.state === "succeeded");
  assert.deepEqual([store.topic(), store.tree.value?.steps.map((s) => s.state)], ["", ["succeeded", "running"]]);
});

test("an answer that comes late does not undo what the stream said", async () => {
  let give = (_: Job) => {};
  const store = new JobStore("job:r", () => new Promise((done) => { give = done; }));
  const opening = store.open();
  store.receive("step", step("build", 0, "succeeded"), "");
  store.receive("job", bare("r", "failed"), "");
  give(bare("r", "running", { user: "ann", steps: [step("build", 0, "running")] }));
  await opening;
  assert.deepEqual([store.tree.value?.steps[0]?.state, store.tree.value?.root.state, store.tree.value?.root.user], ["succeeded", "failed", "ann"]);
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
  await until("the tree", () => store.tree.value?.root.id === "r");
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
