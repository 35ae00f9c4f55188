import { createServer, type Answer, type Request } from "node:http";
import { test } from "node:test";
import assert from "node:assert/strict";
import { hold, leave, see, until } from "./browser";
import { follow, Parser, retryAfter, type Message } from "../src/sse";

const stream = "id: 7-0\r\nevent: hello\r\ndata: {\"a\":1}\r\n\r\n: beat\n\ndata: one\ndata: two\n\nid: 7-1\rdata:x\r\revent: none\n\nid: a\0b\ndata: y\n\ndata: cut";

const want: Message[] = [
  { event: "hello", id: "7-0", data: '{"a":1}' }, { event: "message", id: "7-0", data: "one\ntwo" },
  { event: "message", id: "7-1", data: "x" }, { event: "message", id: "7-1", data: "y" },
];

test("any cut of a stream gives the same messages", () => {
  for (let size = 1; size <= stream.length; size++) {
    const parser = new Parser();
    const got: Message[] = [];
    for (let at = 0; at < stream.length; at += size) got.push(...parser.feed(stream.slice(at, at + size)));
    assert.deepEqual(got, want, `cut into pieces of ${size}`);
  }
});

test("retries hurry in the first minute, and rest later", () => {
  for (const chance of [0, 0.5, 1]) {
    assert.ok(retryAfter(1, 0, chance) <= 300);
    for (const tries of [2, 5, 80]) assert.ok(retryAfter(tries, 59_000, chance) <= 1000 && retryAfter(tries, 59_000, chance) >= 250);
    assert.ok(retryAfter(99, 61_000, chance) >= 1000 && retryAfter(99, 61_000, chance) <= 5000);
  }
});

// serve is a server of streams, at the address that run is given.
async function serve(answer: (q: Request, r: Answer, nth: number) => void, run: (base: string) => Promise<void>): Promise<void> {
  let n = 0;
  const server = createServer((q, r) => answer(q, r, ++n));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  try {
    await run(`http://127.0.0.1:${server.address().port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const head = { "Content-Type": "text/event-stream" };

test("a stream that is cut comes back, and asks anew for where", async () => {
  const asked: (string | undefined)[] = [];
  const got: unknown[] = [];
  await serve((q, r, nth) => {
    asked.push(q.url + " " + (q.headers["last-event-id"] ?? "-"));
    r.writeHead(200, head);
    r.write(`id: ${nth}\ndata: ${nth}\n\n`);
    if (nth < 3) void until("the message to be there", () => got.length === nth).then(() => r.destroy());
  }, async (base) => {
    let cuts = 0;
    let urls = 0;
    const stop = follow({ url: () => `${base}/${++urls}`, onMessage: (_, data) => got.push(data), onCut: () => { cuts++; } });
    await until("three messages", () => got.length === 3);
    stop();
    assert.deepEqual([got, cuts, asked], [[1, 2, 3], 2, ["/1 -", "/2 -", "/3 -"]]);
  });
});

test("a refusal is reported once, and not retried", async () => {
  let asked = 0;
  await serve((_, r) => { asked++; r.writeHead(422); r.end('{"title":"Invalid","detail":"search is too long"}'); }, async (base) => {
    const refused: unknown[] = [];
    follow({ url: () => base, onMessage() {}, onRefused: ({ status, message }) => refused.push([status, message]) });
    await until("the refusal", () => refused.length > 0);
    await new Promise((done) => setTimeout(done, 600));
    assert.deepEqual([refused, asked], [[[422, "search is too long"]], 1]);
  });
});

test("what a proxy answers while it starts is tried again", async () => {
  await serve((_, r, nth) => {
    r.writeHead([403, 404, 502][nth - 1] ?? 200, head);
    if (nth > 3) r.write("data: 1\n\n");
    else r.end();
  }, async (base) => {
    let got = 0;
    let cuts = 0;
    const refused: number[] = [];
    const stop = follow({ url: () => base, onMessage() { got++; }, onCut: () => { cuts++; }, onRefused: ({ status }) => refused.push(status) });
    await until("the message", () => got === 1);
    stop();
    assert.deepEqual([cuts, refused], [3, []]);
  });
});

test("a silent stream counts as cut, a beating one does not", async () => {
  const silence = hold(54_321);
  await serve((q, r, nth) => {
    r.writeHead(200, head);
    r.write(`data: ${nth}\n\n`);
    const beat = setInterval(() => { if (nth > 1) r.write(": \n\n"); }, 20);
    q.on("close", () => clearInterval(beat));
  }, async (base) => {
    const got: unknown[] = [];
    let cuts = 0;
    const stop = follow({ url: () => base, silence: silence.ms, onMessage: (_, data) => got.push(data), onCut: () => { cuts++; } });
    await until("the first stream", () => got.length === 1);
    silence.pass();
    await until("the second stream", () => got.length === 2);
    const begun = silence.begun();
    await until("three beats", () => silence.begun() >= begun + 3);
    const running = silence.running();
    stop();
    // Each beat ends the time that ran, and begins it anew.
    assert.deepEqual([got, cuts, running], [[1, 2], 1, 1]);
  });
});

test("a page that nobody sees asks for nothing, and one put aside lets go", async () => {
  let asked = 0;
  let closed = 0;
  await serve((q, r) => { asked++; q.on("close", () => closed++); r.writeHead(200, head); r.write("data: 1\n\n"); }, async (base) => {
    let got = 0;
    see(false);
    const stop = follow({ url: () => base, onMessage() { got++; } });
    await new Promise((done) => setTimeout(done, 200));
    const early = asked;
    see(true);
    await until("the message", () => got === 1);
    leave();
    await until("the connection to end", () => closed === 1);
    stop();
    assert.equal(early, 0);
  });
});
