// Server-Sent Events over fetch. The browser's EventSource hides comment lines,
// which distinguish a quiet stream from a dead one, and the status of a refusal.

import { problemOf, type ApiError } from "./api";

export interface Message { event: string; id: string; data: string }

// Parser splits a stream's text into messages; it accepts pieces of any length.
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
  url(): string;                // called before each connection: it may contain where to continue
  onMessage(event: string, data: unknown, id: string): void;
  onAlive?(): void;             // something was received, if only a comment
  onCut?(): void;               // the connection is gone, or silent for too long
  onRefused?(problem: ApiError): void; // not retried
  silence?: number;             // ms without a byte after which the stream counts as dead
}

// refusals are the statuses that a retry does not change: nobody is signed in, or
// the request is invalid. Others may come from a proxy that restarts.
const refusals = [401, 422];

// follow keeps a stream open until the returned function is called.
export function follow(o: StreamOptions): () => void {
  const life = new AbortController();
  void keep(o, life.signal);
  return () => life.abort();
}

// retryAfter is the delay before the next attempt, in milliseconds, when the
// stream has been cut for cutFor. It is short at first, since a pacemaker that
// restarts is back within seconds.
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
  // A page in the browser's back-forward cache would keep its connection, and a
  // browser opens only six to a host.
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
    return undefined; // not JSON: ignored
  }
}

function pause(ms: number, life: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(done, ms);
    life.addEventListener("abort", () => { clearTimeout(timer); done(); }, { once: true });
  });
}

// seen waits until the page is visible.
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
