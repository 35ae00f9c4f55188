import { test } from "node:test";
import assert from "node:assert/strict";
import "./browser";
import { Kept } from "../src/older";
import { behind } from "../src/pages/Jobs";
import type { Job } from "../src/types";

const job = (n: number, state: string): Job => ({ id: String(1000 + n), kind: "deploy", title: "", state, progress: { n: 0, m: 0 }, error: "", children: [], attention: false });

test("rows that drop out of the newest stay in their place", () => {
  const kept = new Kept<Job>((a, b) => (a.id < b.id ? 1 : -1));
  kept.keep([job(3, "running"), job(2, "failed"), job(1, "succeeded")]);
  kept.keep([job(5, "running"), job(4, "running"), job(3, "succeeded")]);
  assert.deepEqual(kept.list().map((j) => [j.id, j.state]), [["1005", "running"], ["1004", "running"], ["1003", "succeeded"], ["1002", "failed"], ["1001", "succeeded"]]);
});

test("older jobs begin behind the newest that have ended", () => {
  const newest = Array.from({ length: 50 }, (_, i) => job(500 - i, i % 2 ? "failed" : "succeeded"));
  const old = [job(7, "running"), job(3, "failed")]; // an open one, and one that needs attention
  assert.equal(behind([job(600, "running"), ...newest, ...old], () => true, 50), "1451");
  assert.equal(behind([...newest.slice(1), old[0]!], () => true, 50), "");
});
