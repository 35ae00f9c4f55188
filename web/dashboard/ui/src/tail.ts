// A tail is what one page follows alone: a job, or an app's log. It continues where
// it was when the stream is back.
import type { Target } from "./router";

export interface Tail {
  readonly key: string;      // identifies what it follows
  topic(): string;           // of the stream; "" once all was received
  receive(event: string, data: unknown, id: string): void;
  hello(): void;             // the stream is open
  cut(): void;               // the stream is cut; it reconnects by itself
  close(): void;
}

// The events of a stream that belong to a tail.
export const tailEvents = new Set(["job", "step", "log", "end", "line", "missed"]);

const first = 1000; // lines of a log loaded at the start

// longestSearch is the server's limit of a search, in bytes.
export const longestSearch = 200;

// searched cuts a search to the server's limit.
export function searched(words: string): string {
  return words.slice(0, new TextEncoder().encodeInto(words, new Uint8Array(longestSearch)).read);
}

// canBeApp says whether this is a valid name of an app.
export function canBeApp(name: string): boolean {
  return name.length <= 40 && /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(name);
}

// canBeNode says whether this is a valid name of a node.
export function canBeNode(name: string): boolean {
  return name.length <= 63 && /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(name);
}

// tailKey is the key of a page's tail, "" if it has none.
export function tailKey(target: Target, query: URLSearchParams): string {
  if (target.page === "job") return /^[\w-]{1,40}$/.test(target.name) ? "job:" + target.name : "";
  if (target.page !== "app" || target.tab !== "logs" || !canBeApp(target.name)) return "";
  const asked = new URLSearchParams({ n: String(first) });
  for (const [to, from] of [["search", "q"], ["type", "type"], ["instance", "instance"]] as const) {
    const value = query.get(from);
    if (value) asked.set(to, to === "search" ? searched(value) : value);
  }
  return `logs:${target.name}?${asked}`;
}

// topicOf is a tail's key with the id after which to continue.
export function topicOf(key: string, seen: string): string {
  return seen ? key + "@" + encodeURIComponent(seen) : key;
}
