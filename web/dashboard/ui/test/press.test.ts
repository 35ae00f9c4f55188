import { test } from "node:test";
import assert from "node:assert/strict";
import { happen, until } from "./browser";
import { unpressed } from "../src/press";

test("what comes during a press is drawn after it, in order", async () => {
  for (const end of [["pointerup"], ["pointerup", "click"], ["pointercancel"], ["pointermove"]]) {
    const drawn: number[] = [];
    unpressed(() => drawn.push(0));
    happen("pointerdown", { buttons: 1 });
    happen("pointermove", { buttons: 1 });
    unpressed(() => drawn.push(1));
    unpressed(() => drawn.push(2));
    assert.deepEqual(drawn, [0], end.join());
    for (const type of end) happen(type, { buttons: 0 });
    assert.deepEqual(drawn, [0], `${end.join()}: what the end itself does comes first`);
    await until("the rest to be drawn", () => drawn.length === 3);
    assert.deepEqual(drawn, [0, 1, 2], end.join());
    unpressed(() => drawn.push(3));
    assert.equal(drawn.length, 4, "then nothing is held");
  }
});
