import { test } from "node:test";
import assert from "node:assert/strict";
import { until } from "./browser";
import { alive, aside, asOf, banner, cut, expectTopics, fresh, late, reset, received } from "../src/freshness";

test("a page is fresh once all that it shows was received", () => {
  reset();
  expectTopics(["hello", "apps"]);
  alive();
  received("hello");
  const early = [fresh.value, asOf.value];
  received("apps");
  assert.deepEqual(early, [false, 0]);
  assert.ok(fresh.value && asOf.value > 0);
});

test("after a cut it is old until all was received again, not when the stream is back", () => {
  cut();
  const atCut = fresh.value;
  const known = asOf.value;
  expectTopics(["hello", "apps"]);
  alive();
  received("hello");
  assert.deepEqual([atCut, fresh.value, asOf.value === known], [false, false, true]);
  received("apps");
  assert.ok(fresh.value);
});

test("what another page showed is old when its topics are late", () => {
  expectTopics(["jobs"]);
  const atFirst = fresh.value;
  late();
  const then = fresh.value;
  received("jobs");
  late();
  assert.deepEqual([atFirst, then, fresh.value], [true, false, true]);
});

test("the banner comes when a cut lasts, and goes with the first sign of life", async () => {
  cut();
  cut();
  const atOnce = banner.value;
  await until("the banner", () => banner.value);
  alive();
  assert.deepEqual([atOnce, banner.value, fresh.value], [false, false, false]);
});

test("a page that nobody sees is old, without a banner", () => {
  received("x");
  aside();
  assert.deepEqual([fresh.value, banner.value], [false, false]);
});
