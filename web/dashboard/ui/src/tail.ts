// What a page follows beyond what all pages share: one job, or one app's log.
// It goes on where it was when the stream comes back.
import type { Target } from "./router";

export interface Tail {
  readonly key: string;      // what it is of; another one is another tail
  topic(): string;           // as the stream is asked for it; "" once it has told all
  take(event: string, data: unknown, id: string): void;
  hello(): void;             // a stream begins
  cut(): void;               // the stream is cut; it comes back by itself
  close(): void;
}

// The events of a live stream that are a tail's.
export const tailEvents = new Set(["job", "log", "end", "line", "missed"]);

const first = 1000; // lines of a log asked for at the start

// longestSearch is how many bytes the server takes for a search.
export const longestSearch = 200;

// searched is as much of what is looked for as the server takes.
export function searched(words: string): string {
  return words.slice(0, new TextEncoder().encodeInto(words, new Uint8Array(longestSearch)).read);
}

// canBeApp tells whether an app can have that name.
export function canBeApp(name: string): boolean {
  return name.length <= 40 && /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(name);
}

// tailKey names the tail of a page: "" where it has none.
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

// topicOf is a tail's key with the id after which it goes on.
export function topicOf(key: string, seen: string): string {
  return seen ? key + "@" + encodeURIComponent(seen) : key;
}
