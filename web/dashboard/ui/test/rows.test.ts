import { test } from "node:test";
import assert from "node:assert/strict";
import { Rows, stamp, widthOf } from "../src/kit/rows";

test("a text's width is what one sees of it", () => {
  const rows: [string, number][] = [["", 0], ["abc", 3], ["\x1b[31mred\x1b[0m", 3], ["äöü", 3], ["日本", 4], ["🚀 go", 5]];
  for (const [text, want] of rows) assert.equal(widthOf(text), want, text);
});

test("lines that do not wrap have a row each", () => {
  const rows = new Rows([5, 500, 5], 0);

  assert.deepEqual([rows.total(), rows.top(2), rows.height(1), rows.at(1.9), rows.at(-3), rows.at(99)], [3, 2, 1, 1, 0, 2]);
});

test("lines that wrap have as many rows as they need", () => {
  const rows = new Rows([0, 40 - stamp, 41 - stamp, 100, 100_000], 40);

  assert.deepEqual([0, 1, 2, 3, 4].map((i) => rows.height(i)), [1, 1, 2, 3, 8]);
  assert.deepEqual([0, 1, 2, 3, 4, 5].map((i) => rows.top(i)), [0, 1, 2, 4, 7, 15]);
  assert.deepEqual([-1, 0, 1.5, 2, 3, 4, 6, 7, 14, 99].map((row) => rows.at(row)), [0, 0, 1, 2, 2, 3, 3, 4, 4, 4]);
});

test("no lines have no rows", () => {
  for (const columns of [0, 40]) assert.deepEqual([new Rows([], columns).total(), new Rows([], columns).at(3)], [0, 0]);
});
