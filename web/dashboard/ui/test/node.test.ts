import { test } from "node:test";
import assert from "node:assert/strict";
import "./browser";
import { movesOf, targets } from "../src/pages/NodeActions";
import { words } from "../src/pages/Node";
import { worstFirst } from "../src/kit/NodeTable";
import type { LiveNode, NodeDetail, NodeInstance } from "../src/types";

test("a plan is what moves where", () => {
  const step = (action: "start" | "stop", node: string, instance?: string) => ({ action, app: "shop", type: "web", node, ...(instance ? { instance } : {}) });
  const moves = movesOf({ changes: true, missing: [], refused: [], steps: [step("start", "n3"), step("stop", "n2", "0190-0000-aaaaaaaa"), step("start", "n1"), step("stop", "n2", "0190-0000-bbbbbbbb"), step("start", "n3"), step("stop", "n2", "0190-0000-cccccccc")] });
  assert.deepEqual(moves.map((m) => `${m.name} → ${m.to}`), ["web.aaaaaaaa → n3", "web.bbbbbbbb → n1", "web.cccccccc → n3"]);
  assert.equal(targets(moves), "1 to n1 and 2 to n3");
});

const node = (state: string, more: Partial<NodeDetail> = {}) => ({ name: "n2", state, roles: ["heart"], residents: [], attention: [], draining: false, held_until: null, ...more }) as unknown as NodeDetail;
const residents = (...states: string[]) => states.map((state) => ({ state }) as NodeInstance);

test("a node is told of in a sentence", () => {
  const rows: [NodeDetail, string][] = [
    [node("ready", { residents: residents("running") }), "Ready, with 1 instance."],
    [node("dead", { residents: residents("running", "draining") }), "Dead: 1 instance of 2 not replaced yet."],
    [node("dead", { residents: residents("draining"), draining: true }), "Dead: all that ran here runs elsewhere. It stays drained once it is back."],
    [node("draining", { residents: residents("running", "running") }), "Draining: 2 instances still here; nothing new starts here."],
    [node("drained"), "Drained: nothing runs here, and nothing new starts here."],
  ];
  for (const [n, want] of rows) assert.equal(words(n), want);
  assert.match(words(node("ready", { held_until: "2026-03-01T03:00:00Z" })), /^Held, with 0 instances: it was dead, and while others have room it gets nothing new until \d/);
});

test("the nodes that somebody looks for come first", () => {
  const names = worstFirst(["ready", "drained", "dead", "ready", "suspect", "draining"].map((state, i) => ({ name: `n${i}`, state }) as LiveNode)).map((n) => n.name);
  assert.deepEqual(names, ["n2", "n4", "n5", "n1", "n0", "n3"]);
});
