import { test } from "node:test";
import assert from "node:assert/strict";
import { pieces, plain } from "../src/kit/ansi";

test("colours become looks, and end where they are ended", () => {
  const got = pieces("a\x1b[31mred\x1b[1mbold\x1b[22m\x1b[39mb\x1b[92;1mc\x1b[0md");
  assert.deepEqual(got, [
    { text: "a", look: "" }, { text: "red", look: "ansi-red" }, { text: "bold", look: "ansi-red strong" },
    { text: "b", look: "" }, { text: "c", look: "ansi-green strong" }, { text: "d", look: "" },
  ]);
});

test("what a terminal would run is left out", () => {
  const evil = [
    "\x1b]0;title\x07", "\x1b]8;;http://evil/\x1b\\", "\x1b[2J", "\x1b[10;10H", "\x1b[?1049h", "\x1bc", "\x1b(B", "\x07", "\x00", "\x9b", "\u202e", "\u2066",
    "\x1b]52;c;AAAA", "\x1b[", "\x1b",
  ];
  for (const code of evil) {
    const got = plain("a" + code + "z");
    assert.ok(got.startsWith("a") && !/[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/.test(got), JSON.stringify(code));
  }
  assert.equal(plain("a" + evil.slice(0, 6).join("b") + "z"), "abbbbbz");
});

test("colours that are not in the palette leave the text as it is", () => {
  assert.deepEqual(pieces("\x1b[38;5;196mx\x1b[48;2;1;2;3my"), [{ text: "x", look: "" }, { text: "y", look: "" }]);
});

test("text without codes is one piece, markup included", () => {
  const text = "<script>alert(1)</script> é 漢 \t end";
  assert.deepEqual(pieces(text), [{ text, look: "" }]);
  assert.deepEqual(pieces(""), []);
});

// What looks at each code once more for every other one hangs by this many.
test("a long line of broken codes is read once", () => {
  assert.equal(plain("\x1b]".repeat(500_000) + "\x1b[1;".repeat(500_000) + "\nz").at(-1), "z");
});
