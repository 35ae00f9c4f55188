import { test } from "node:test";
import assert from "node:assert/strict";
import * as f from "../src/format";

function table(run: (n: never) => string, rows: [unknown, string][]): void {
  for (const [value, want] of rows) assert.equal(run(value as never), want, String(value));
}

test("rates", () => table(f.rate, [[null, "–"], [undefined, "–"], [0, "0"], [0.4, "0.4"], [12.3, "12"], [999, "999"], [3400, "3.4 k"], [45_600, "46 k"], [2.5e6, "2.5 M"]]));
test("percentages", () => table(f.percent, [[null, "–"], [0, "0 %"], [0.00001, "< 0.01 %"], [0.0081, "0.81 %"], [0.05, "5.0 %"], [0.5, "50 %"], [1, "100 %"]]));
test("how bad errors are", () => table(f.badness, [[null, ""], [0.049, ""], [0.05, "warn"], [0.18, "warn"], [0.5, "warn"], [0.51, "bad"]]));
test("milliseconds", () => table(f.millis, [[null, "–"], [0.42, "0.4 ms"], [12.3, "12 ms"], [999, "999 ms"], [1500, "1.5 s"]]));
test("bytes of memory", () => table(f.bytes, [[null, "–"], [0, "0 B"], [1023, "1023 B"], [1024, "1 KB"], [64 << 20, "64 MB"], [1.5 * 2 ** 30, "1.5 GB"], [23.5 * 2 ** 30, "23.5 GB"], [100.4 * 2 ** 30, "100 GB"]]));
test("cores in use", () => table(f.cores, [[0, "0"], [0.004, "< 0.01"], [0.256, "0.26"], [0.5, "0.5"], [2, "2"]]));
test("bytes of traffic", () => table(f.volume, [[0, "0 B"], [999, "999 B"], [1500, "1.5 kB"], [2_000_000, "2 MB"]]));
test("lengths of time", () => table(f.span, [[-5, "0.0 s"], [1234, "1.2 s"], [59_000, "59 s"], [61_000, "1 min 1 s"], [900_000, "15 min"], [3_700_000, "1 h 1 min"], [200_000_000, "2 d"]]));
test("ages", () => table(f.age, [[-5, "0 s"], [59_999, "59 s"], [60_000, "1 min"], [3_600_000, "1 h"], [90_000_000, "1 d"]]));

test("names are joined as people speak", () => {
  assert.deepEqual([f.names([]), f.names(["a"]), f.names(["a", "b"]), f.names(["a", "b", "c"])], ["", "a", "a and b", "a, b and c"]);
});

test("counts say one or many", () => {
  assert.deepEqual([f.count(1, "app"), f.count(2, "app"), f.count(0, "app"), f.count(2, "match", "matches")], ["1 app", "2 apps", "0 apps", "2 matches"]);
});

test("times that are none stay what they are", () => {
  assert.deepEqual([f.moment("never"), f.exact("never"), f.brief("short")], ["", "never", "short"]);
});

test("the end of an id is what the command line shows", () => {
  assert.equal(f.brief("01902f3c-0000-7000-8000-00001234abcd"), "1234abcd");
});

test("control codes are shown as their signs", () => {
  assert.equal(f.signs("a\x1b[31m\x07\x7f\r\n\tb"), "a␛[31m␇␡␍\n\tb");
});

test("browsers in words", () => table(f.browser, [
  ["Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36", "Chrome on Linux"],
  ["Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15", "Safari on macOS"],
  ["Mozilla/5.0 (Windows NT 10.0; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox on Windows"], ["curl/8.5", "curl/8.5"], ["", "unknown browser"],
]));

test("words for a shell stay one word", () => table(f.quoted, [["web", "web"], ["a b", "'a b'"], ["it's; rm -rf $HOME\n", "'it'\\''s; rm -rf $HOME '"], ["", "''"]]));
