// Server-Sent Events over fetch. The browser's own reader hides comment lines,
// and those are what tells a quiet stream from a dead one; it hides the status
// of a refusal too.

import { problemOf, type ApiError } from "./api";

export interface Message { event: string; id: string; data: string }

// Parser cuts a stream's text into messages. It takes any cut of the text.
export class Parser {
  private rest = "";
  private event = "";
  private data: string[] = [];
  private skipFeed = false; // the last piece ended in CR; its LF may come with the next
  private lastId = "";

  feed(text: string): Message[] {
    const out: Message[] = [];
    if (this.skipFeed && text.startsWith("\n")) text = text.slice(1);
    this.skipFeed = text.endsWith("\r");
    if (!/[\r\n]/.test(text)) { // a piece of one long line
      this.rest += text;
      return out;
    }
    const lines = (this.rest + text).split(/\r\n|\n|\r/);
    this.rest = lines.pop() ?? "";
    for (const line of lines) {
      const done = this.line(line);
      if (done) out.push(done);
    }
    return out;
  }

  private line(line: string): Message | undefined {
    if (line === "") return this.dispatch();
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.event = value;
    else if (field === "data") this.data.push(value);
    else if (field === "id" && !value.includes("\0")) this.lastId = value;
    return undefined;
  }

  private dispatch(): Message | undefined {
    const message = { event: this.event || "message", id: this.lastId, data: this.data.join("\n") };
    const some = this.data.length > 0;
    this.event = "";
    this.data = [];
    return some ? message : undefined;
  }
}

export interface StreamOptions {
  url(): string;                // asked before each connection: it may say where to go on
  onMessage(event: string, data: unknown, id: string): void;
  onAlive?(): void;             // something came, be it a comment
  onCut?(): void;               // the connection is gone, or silent for too long
  onRefused?(problem: ApiError): void; // it is not tried again
  silence?: number;             // ms without a byte after which the stream counts as dead
}

// refusals are the answers that another try does not change: nobody is signed
// in, or what is asked for can't be. Others may be of a proxy that starts again.
const refusals = [401, 422];

// follow keeps a stream open until the returned function is called.
export function follow(o: StreamOptions): () => void {
  const life = new AbortController();
  void keep(o, life.signal);
  return () => life.abort();
}

// retryAfter is how long to wait before the next try, in milliseconds, when the
// stream has been cut for so long: a pacemaker that starts again is back within
// seconds, one that does not needs no haste.
export function retryAfter(tries: number, cutFor: number, chance: number): number {
  if (tries === 1) return 50 + chance * 250;
  return cutFor < 60_000 ? 250 + chance * 750 : 1000 + chance * 4000;
}

async function keep(o: StreamOptions, life: AbortSignal): Promise<void> {
  let cutAt = Date.now();
  for (let tries = 0; !life.aborted; tries++) {
    if (tries > 0) await pause(retryAfter(tries, Date.now() - cutAt, Math.random()), life);
    if (document.hidden) await seen(life);
    if (life.aborted) return;
    let heard = 0;
    const verdict = await once({ ...o, onAlive() { heard ||= Date.now(); o.onAlive?.(); } }, life);
    if (life.aborted || verdict === "refused") return;
    if (heard) cutAt = Date.now();
    if (heard && Date.now() - heard > 10_000) tries = 0;
    o.onCut?.();
  }
}

async function once(o: StreamOptions, life: AbortSignal): Promise<"cut" | "refused"> {
  const stop = new AbortController();
  const end = () => stop.abort();
  life.addEventListener("abort", end);
  // A page that the browser keeps to go back to would keep its connection too,
  // and six of them are all that a host gets.
  addEventListener("pagehide", end);
  let guard = 0;
  const watch = () => { clearTimeout(guard); guard = setTimeout(end, o.silence ?? 20_000); };
  try {
    watch();
    const answer = await fetch(o.url(), { headers: { Accept: "text/event-stream" }, credentials: "same-origin", cache: "no-store", signal: stop.signal });
    if (refusals.includes(answer.status)) {
      const problem = await problemOf(answer);
      if (!life.aborted) o.onRefused?.(problem);
      return "refused";
    }
    if (!answer.ok || !answer.body) return "cut";
    await read(o, answer.body, watch);
  } catch {
    // Cut off, or ended by us: the caller knows which.
  } finally {
    clearTimeout(guard);
    removeEventListener("pagehide", end);
    life.removeEventListener("abort", end);
  }
  return "cut";
}

async function read(o: StreamOptions, body: ReadableStream<Uint8Array>, watch: () => void): Promise<void> {
  const parser = new Parser();
  const text = new TextDecoder();
  const reader = body.getReader();
  for (;;) {
    const piece = await reader.read();
    if (piece.done) return;
    watch();
    o.onAlive?.();
    for (const m of parser.feed(text.decode(piece.value, { stream: true }))) o.onMessage(m.event, decoded(m.data), m.id);
  }
}

function decoded(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return undefined; // not ours to understand
  }
}

function pause(ms: number, life: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(done, ms);
    life.addEventListener("abort", () => { clearTimeout(timer); done(); }, { once: true });
  });
}

// seen waits until somebody looks: a page in the background asks for nothing.
function seen(life: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const check = () => {
      if (document.hidden && !life.aborted) return;
      document.removeEventListener("visibilitychange", check);
      done();
    };
    document.addEventListener("visibilitychange", check);
    life.addEventListener("abort", check, { once: true });
  });
}
