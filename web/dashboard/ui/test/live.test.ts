import { test } from "node:test";
import assert from "node:assert/strict";
import { until } from "./browser";
import { session } from "../src/api";
import { gone, start, tail } from "../src/live";
import { LogStore } from "../src/logstore";
import { go } from "../src/router";
import { canBeApp, canBeNode, searched } from "../src/tail";

test("a search is cut to the bytes that the server takes, between letters", () => {
  assert.equal(searched("x".repeat(300)), "x".repeat(200));
  assert.equal(searched("é".repeat(150)), "é".repeat(100));
  assert.equal(searched("a" + "é".repeat(150)), "a" + "é".repeat(99));
  assert.equal(searched("a blue bird"), "a blue bird");
});

test("an app has a name of a certain form", () => {
  for (const name of ["a", "shop", "a-b", "x".repeat(40)]) assert.ok(canBeApp(name), name);
  for (const name of ["", "-a", "a-", "A", "a_b", "a/b", "<img>", "x".repeat(41)]) assert.ok(!canBeApp(name), name);
});

test("a node has a name of a certain form", () => {
  for (const name of ["a", "n1", "1-b", "x".repeat(63)]) assert.ok(canBeNode(name), name);
  for (const name of ["", "-a", "a-", "A", "a.b", "a/b", "a,b", "<img>", "x".repeat(64)]) assert.ok(!canBeNode(name), name);
});

// answer is a server that refuses streams of which it is told so; the others
// stay open. It gives the topics that were asked for.
function answer(refuses: (topics: string) => boolean): string[] {
  const asked: string[] = [];
  const reply = (address: string, { signal }: { signal: AbortSignal }) => {
    const topics = new URL(address, "http://aorta.test").searchParams.get("topics") ?? "";
    asked.push(topics);
    if (refuses(topics)) return Promise.resolve(new Response('{"detail":"type is longer than 40"}', { status: 422 }));
    return new Promise((_, end) => signal.addEventListener("abort", () => end(new Error("ended"))));
  };
  Object.defineProperty(globalThis, "fetch", { value: reply, configurable: true });
  return asked;
}

test("what is refused is left out, and its place says why", async () => {
  const asked = answer((topics) => topics.includes("type=") || topics.includes("app:a--b"));
  session.value = { user: "ann", role: "viewer", session: "s", expires_at: "" };
  start();

  go("/apps/shop/logs?type=" + "x".repeat(41));
  await until("the stream without the log", () => asked.at(-1) === "overview,jobs,app:shop");
  const log = tail.value instanceof LogStore ? tail.value.gone.value : "";
  const shop = gone.value;
  go("/apps/a--b");
  await until("the stream without the app", () => asked.at(-1) === "overview,jobs");
  const refused = gone.value;
  go("/nodes/n1");
  await until("the stream with the node", () => asked.at(-1) === "overview,jobs,node:n1");
  go("/nodes/a%2Cjobs");
  await until("the node to be gone", () => gone.value === "node:a,jobs");
  await until("the stream without the node", () => asked.at(-1) === "overview,jobs");
  const before = asked.length;
  go("/apps/Not%20One/logs");
  await until("the app to be gone", () => gone.value === "app:Not One");
  go("/login");

  assert.deepEqual([log, shop, refused], ["Type is longer than 40", "", "app:a--b"]);
  assert.deepEqual([asked.slice(before).filter((t) => t !== "overview,jobs"), tail.value], [[], null]);
});
