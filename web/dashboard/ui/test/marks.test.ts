import { test } from "node:test";
import assert from "node:assert/strict";
import { place } from "../src/kit/marks";

const width = (text: string) => text.length * 10;
const names = (n: number) => Array.from({ length: n }, (_, i) => `v${i + 1}`);

test("labels that have room stand alone", () => {
  assert.deepEqual(place(names(2), [0, 20], 100, width).map((l) => [l.text, l.x]), [["v1", 0], ["v2", 20]]);
});

test("labels that would overlap become one", () => {
  assert.deepEqual(place(names(4), [0, 10, 15, 90], 200, width).map((l) => [l.text, l.x]), [["v1–v3", 0], ["v4", 90]]);
});

test("at the right edge a label moves to the left, and takes along what is there", () => {
  assert.deepEqual(place(names(3), [10, 65, 95], 100, width).map((l) => [l.text, l.x]), [["v1", 10], ["v2–v3", 50]]);
});

test("no label ever covers another, and each mark is in one", () => {
  for (let seed = 1; seed < 500; seed++) {
    let s = seed;
    const random = (n: number) => { s = (s * 48271) % 2147483647; return s % n; };
    const xs = Array.from({ length: random(40) }, () => random(600)).sort((a, b) => a - b);
    const labels = place(names(xs.length), xs, 600, width);
    labels.forEach((l, i) => {
      const before = labels[i - 1];
      assert.ok(!before || before.x + width(before.text) <= l.x, `seed ${seed}: ${JSON.stringify(labels)}`);
      assert.equal(l.from, before ? before.to + 1 : 0);
      assert.ok(l.x + width(l.text) <= 600);
    });
    assert.equal(labels.at(-1)?.to ?? -1, xs.length - 1);
  }
});
