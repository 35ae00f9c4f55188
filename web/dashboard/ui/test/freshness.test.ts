import { test } from "node:test";
import assert from "node:assert/strict";
import { until } from "./browser";
import { alive, aside, asOf, banner, cut, expectTold, fresh, late, reset, told } from "../src/freshness";

test("a page is fresh once all that it shows was told", () => {
  reset();
  expectTold(["hello", "apps"]);
  alive();
  told("hello");
  const early = [fresh.value, asOf.value];
  told("apps");
  assert.deepEqual(early, [false, 0]);
  assert.ok(fresh.value && asOf.value > 0);
});

test("after a cut it is old until all was told again, not when the stream is back", () => {
  cut();
  const atCut = fresh.value;
  const known = asOf.value;
  expectTold(["hello", "apps"]);
  alive();
  told("hello");
  assert.deepEqual([atCut, fresh.value, asOf.value === known], [false, false, true]);
  told("apps");
  assert.ok(fresh.value);
});

test("what another page showed is old when its topics are late", () => {
  expectTold(["jobs"]);
  const atFirst = fresh.value;
  late();
  const then = fresh.value;
  told("jobs");
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
  told("x");
  aside();
  assert.deepEqual([fresh.value, banner.value], [false, false]);
});
