import { test } from "node:test";
import assert from "node:assert/strict";
import { place, visit } from "./browser";
import { appAddress, ask, go, jobAddress, landing, match, nodeAddress, query, target } from "../src/router";
import { tailKey, topicOf } from "../src/tail";

test("addresses name their pages", () => {
  const rows: [string, string, string, string][] = [
    ["/", "overview", "", ""], ["/apps", "apps", "", ""], ["/apps/", "apps", "", ""], ["/apps/shop", "app", "shop", ""], ["/apps/shop/logs", "app", "shop", "logs"],
    ["/apps/a%2Fb/logs/", "app", "a/b", "logs"], ["/apps/%zz", "app", "%zz", ""], ["/jobs/0190-x", "job", "0190-x", ""], ["/nodes", "nodes", "", ""], ["/nodes/n1", "node", "n1", ""], ["/nodes/n1/", "node", "n1", ""], ["/nodes/n1/x", "missing", "", ""], ["/login", "login", "", ""],
    ["/apps/a/b/c", "missing", "", ""], ["/else", "missing", "", ""], ["", "missing", "", ""],
  ];
  for (const [address, page, name, tab] of rows) assert.deepEqual(match(address), { page, name, tab }, address);
});

test("names survive their way through an address", () => {
  for (const name of ["shop", "a/b", "<img src=x>", "é%", "?x#y", "a,b@c"]) {
    assert.deepEqual(match(appAddress(name, "logs")), { page: "app", name, tab: "logs" });
    assert.deepEqual(match(jobAddress(name)), { page: "job", name, tab: "" });
    assert.deepEqual(match(nodeAddress(name)), { page: "node", name, tab: "" });
  }
});

test("only addresses of ours are gone to", () => {
  go("/apps");
  for (const foreign of ["//evil.test/", "/\\evil.test", "https://evil.test/", "javascript:alert(1)", "apps", ""]) {
    go(foreign);
    assert.equal(place.pathname, "/apps", foreign);
  }
});

test("a sign-in hasState to a page of ours", () => {
  const rows: [string | null, string][] = [
    ["/apps/shop?q=a", "/apps/shop?q=a"], [null, "/"], ["", "/"], ["//evil.test/", "/"], ["/\\evil.test", "/"], ["/\t/evil.test", "/"], ["/\t/%%", "/"], ["https://evil.test", "/"],
    ["javascript:alert(1)", "/"], ["/login", "/"], ["/login?next=/login", "/"], ["/./login/", "/"],
  ];
  for (const [next, want] of rows) assert.equal(landing(next), want, String(next));
});

test("a question keeps what else the address says", () => {
  go("/apps/shop/logs?type=web");
  ask("q", "a b&c");
  assert.deepEqual([query.value.get("type"), query.value.get("q"), target.value.tab], ["web", "a b&c", "logs"]);
  ask("type", "");
  assert.equal(place.search, "?q=a+b%26c");
});

test("the back button moves the page", () => {
  go("/apps");
  visit("/nodes");
  assert.equal(target.value.page, "nodes");
});

test("a page's own topic follows its address", () => {
  const key = (address: string) => { go(address); return tailKey(target.value, query.value); };
  assert.equal(key("/jobs/0190-ab"), "job:0190-ab");
  assert.equal(key("/jobs/a%2Cb"), "");
  assert.equal(key("/apps/shop"), "");
  assert.equal(key("/apps/shop/logs?q=a,b@c&type=web&range=6h"), "logs:shop?n=1000&search=a%2Cb%40c&type=web");
  assert.equal(topicOf("job:x", ""), "job:x");
  assert.equal(topicOf("job:x", "5,a=1-2"), "job:x@5%2Ca%3D1-2");
});
