import { test } from "node:test";
import assert from "node:assert/strict";
import { hold } from "./browser";
import { jobs } from "../src/live";
import { dismiss, note, started } from "../src/notice";
import type { Job } from "../src/types";

const known = (...list: [string, string][]) => { jobs.value = new Map(list.map(([id, state]) => [id, { id, state } as Job])); };

test("how a job ended is said, however long it took and whatever was dismissed", () => {
  const shown = hold(6000);
  for (const [state, says] of [["succeeded", "Drain n2: done."], ["failed", "Drain n2: failed."], ["aborted", "Drain n2: cancelled."]] as const) {
    known();
    started("Drain n2", { job: "j1" });
    assert.equal(note.value?.text, "Drain n2: started.");
    known(["j1", "running"], ["other", "succeeded"]);
    if (state === "aborted") dismiss(note.value!.id);
    shown.pass();
    assert.equal(note.value, null);

    known(["j1", state]);

    assert.equal(note.value?.text, says);
    shown.pass();
    assert.equal(note.value?.text ?? null, state === "failed" ? says : null, "a failure stays, the rest goes");
    known(["j1", state], ["other", "failed"]);
    assert.equal(note.value?.text ?? null, state === "failed" ? says : null, "it is said once");
  }
});

test("the end of a job is said that was over before the answer to its request came", () => {
  hold(6000);
  known(["j2", "succeeded"]);

  started("Restart shop", { job: "j2" });

  assert.equal(note.value?.text, "Restart shop: done.");
});
