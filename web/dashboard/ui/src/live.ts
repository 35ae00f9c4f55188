// The live state of the cluster: one stream for the whole page, whose topics
// follow the address. What it brings lies in signals; what is on the page stays
// when the stream is cut, and is known to be old.
import { batch, computed, effect, signal, untracked } from "@preact/signals";
import { session } from "./api";
import { ahead, now, serverTime } from "./clock";
import { alive, aside, cut, expectTold, late, reset, told } from "./freshness";
import { expected } from "./hint";
import { JobStore } from "./jobstore";
import { LogStore } from "./logstore";
import { pathname, query, target } from "./router";
import { follow } from "./sse";
import { tailEvents, tailKey, type Tail } from "./tail";
import type { AppDetail, AppRow, Gone, Hello, Job, Overview } from "./types";

const silence = 4000;       // the server says something at least every 2 s
const hiddenAfter = 2000;   // a page that nobody sees lets go of its stream: six are all that a browser opens
const lateAfter = 400;      // how long what a page shows may be of the stream before

export const hello = signal<Hello | null>(null);
export const overview = signal<Overview | null>(null);
export const apps = signal<ReadonlyMap<string, AppRow> | null>(null);
export const jobs = signal<ReadonlyMap<string, Job> | null>(null);
export const detail = signal<AppDetail | null>(null);
export const gone = signal(""); // the app that is no more, or never was
export const tail = signal<Tail | null>(null);

interface Rows<T> { all: boolean; rows: T[] | null; gone?: string[] | null }

function merged<T>(old: ReadonlyMap<string, T> | null, change: Rows<T>, key: (row: T) => string): ReadonlyMap<string, T> {
  const next = new Map(change.all ? [] : old ?? []);
  for (const row of change.rows ?? []) next.set(key(row), row);
  for (const id of change.gone ?? []) next.delete(id);
  return next;
}

const takers: Record<string, (data: unknown) => void> = {
  hello(data) {
    hello.value = data as Hello;
    const time = Date.parse((data as Hello).time);
    if (!isNaN(time)) ahead.value = time - Date.now();
    now.value = serverTime();
    const t = tail.value;
    if (t instanceof LogStore) t.open();
    told("hello");
  },
  overview(data) { overview.value = data as Overview; told("overview"); },
  apps(data) { apps.value = merged(apps.value, data as Rows<AppRow>, (row) => row.name); told("apps"); },
  jobs(data) { jobs.value = merged(jobs.value, data as Rows<Job>, (row) => row.id); told("jobs"); },
  app(data) {
    const d = data as AppDetail;
    if (d.app.name !== target.value.name) return; // of the page before
    detail.value = d;
    gone.value = "";
    told("app:" + d.app.name);
  },
  gone(data) {
    const { app } = data as Gone;
    if (!app) {
      tail.value?.take("gone", data, "");
      return;
    }
    gone.value = app;
    if (detail.value?.app.name === app) detail.value = null;
    told("app:" + app);
  },
};

function take(event: string, data: unknown, id: string): void {
  if (!data) return;
  if (tailEvents.has(event)) tail.value?.take(event, data, id);
  else batch(() => takers[event]?.(data));
}

// refused is the address whose own topics the server would not have.
const refused = signal("");
const address = computed(() => pathname.value + "?" + query.value);

// shared are the topics of the page at hand that are the same for everybody.
const shared = computed(() => {
  if (!session.value && !(session.value === undefined && expected())) return "";
  const { page, name } = target.value;
  if (page === "login") return "";
  if (page === "overview" || page === "apps") return "overview,apps,jobs";
  const own = page === "app" && refused.value !== address.value;
  return own ? `overview,jobs,app:${name}` : "overview,jobs";
});

const wanted = computed(() => (shared.value && refused.value !== address.value ? tailKey(target.value, query.value) : ""));

// attach gives the tail with a key, which is the one at hand if it has it.
function attach(key: string): Tail | null {
  const old = tail.peek();
  if (old?.key === key) return old;
  old?.close();
  tail.value = untracked(() => makeTail(key));
  return tail.peek();
}

function makeTail(key: string): Tail | null {
  if (key.startsWith("logs:")) return new LogStore(key);
  if (!key.startsWith("job:")) return null;
  const store = new JobStore(key);
  void store.open();
  return store;
}

const unseen = signal(false);
let hiding = 0;
document.addEventListener("visibilitychange", () => {
  clearTimeout(hiding);
  if (!document.hidden) unseen.value = false;
  else hiding = setTimeout(() => { unseen.value = true; }, hiddenAfter);
});

function open(topics: string, own: Tail | null): () => void {
  const timer = setTimeout(late, lateAfter);
  const stop = follow({
    url() {
      expectTold(["hello", ...topics.split(",")]);
      return "/api/v1/live?topics=" + encodeURIComponent([topics, own?.topic()].filter(Boolean).join(","));
    },
    silence, onMessage: take, onAlive: alive, onCut: lost,
    onRefused(status) {
      if (status === 401) session.value = null;
      else refuse();
    },
  });
  return () => { clearTimeout(timer); stop(); };
}

function lost(): void {
  cut();
  tail.value?.cut();
}

// refuse does without what the address names, since nothing can have that name.
function refuse(): void {
  const { page, name } = target.peek();
  if (refused.peek() === address.peek()) return lost();
  if (page === "app") gone.value = name;
  refused.value = address.peek();
}

// start follows the address for as long as the page lives.
export function start(): void {
  effect(() => {
    const topics = shared.value;
    const own = attach(wanted.value);
    if (!topics) return undefined;
    if (unseen.value) return aside();
    return untracked(() => open(topics, own));
  });
}

// forget drops what one person saw before another one signs in.
export function forget(): void {
  overview.value = null;
  apps.value = null;
  jobs.value = null;
  detail.value = null;
  reset();
}
