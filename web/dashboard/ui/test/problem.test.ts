import { test } from "node:test";
import assert from "node:assert/strict";
import { spoken } from "../src/api";

test("a problem is told as a sentence, with the field by its own name", () => {
  const rows: [Parameters<typeof spoken>[0], string][] = [
    [{ detail: "app \"x\" does not exist", title: "Not Found" }, "app \"x\" does not exist"],
    [{ title: "Not Found" }, "Not Found"], [{}, ""],
    [{ detail: "name: \"A\" is not a name", errors: [{ message: "\"A\" is not a name", location: "body.name" }] }, "\"A\" is not a name"],
    [{ detail: "set.PORT: PORT is set", errors: [{ message: "PORT is set by the platform", location: "body.set.PORT" }] }, "PORT is set by the platform"],
    [{ detail: "set.A: is 9 bytes long", errors: [{ message: "is 9 bytes long", location: "body.set.A" }] }, "A is 9 bytes long"],
    [{ detail: "types.web.quantity: 1001 is outside 0 … 1000", errors: [{ message: "1001 is outside 0 … 1000", location: "body.types.web.quantity" }] }, "quantity: 1001 is outside 0 … 1000"],
    [{ detail: "validation failed", errors: [{ message: "expected string", location: "body.host" }, { message: "expected length", location: "body.name" }] }, "host: expected string; name: expected length"],
    [{ detail: "line 2 is not", errors: null }, "line 2 is not"],
  ];
  for (const [problem, want] of rows) assert.equal(spoken(problem), want);
});
