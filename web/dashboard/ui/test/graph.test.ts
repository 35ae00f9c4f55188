import { test } from "node:test";
import assert from "node:assert/strict";
import "./browser";
import { latest, lone } from "../src/kit/curves";
import { drawn } from "../src/series";
import { took } from "../src/format";
import type { Series } from "../src/types";

const series = (over: Partial<Series>): Series => ({
  step_s: 3600, from: 0, to: 7200 + 60, t: [0, 3600, 7200], s2xx: [null, 7200, 120], s3xx: [null, 0, 0], s4xx: [null, 0, 0], s5xx: [null, 0, 0],
  bytes: [null, 0, 0], p50_ms: [null, 1, 1], p95_ms: [null, 1, 1], p99_ms: [null, 1, 1], marks: [], ...over,
});

test("a step under way is a rate of what is counted of it", () => {
  const d = drawn(series({}), 3 * 3600);
  assert.deepEqual(d.requests[0]!.values, [null, 2, 2]);
  assert.equal(d.none, false);
});

test("a step with nothing beside it is a point, as no line leads there", () => {
  assert.deepEqual(lone([1, null, 2, 3, null, null, 4]), [0, 6]);
});

test("the numbers beside a graph are of its newest step with any", () => {
  const curve = (values: (number | null)[]) => ({ name: "", colour: "", values });
  assert.equal(latest([curve([1, null, null]), curve([null, 2, null])]), 1);
  assert.equal(latest([curve([null])]), -1);
});

test("no request takes no time", () => {
  assert.deepEqual([0, 0.04, 0.1, null].map(took), ["< 0.1 ms", "< 0.1 ms", "0.1 ms", "–"]);
});
