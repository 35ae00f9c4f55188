// The live state of the cluster: one stream for the whole page, whose topics
// follow the address. What it brings lies in signals; what is on the page stays
// when the stream is cut, and is known to be old.
import { batch, computed, effect, signal, untracked } from "@preact/signals";
import { said, session } from "./api";
import { ahead, now, serverTime } from "./clock";
import { alive, aside, cut, expectTold, late, reset, told } from "./freshness";
import { expected } from "./hint";
import { JobStore } from "./jobstore";
import { LogStore } from "./logstore";
import { query, target } from "./router";
import { follow } from "./sse";
import { canBeApp, tailEvents, tailKey, type Tail } from "./tail";
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
    tail.value?.hello();
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

// refused is the app that the server would not tell of, refusals how often it
// would not tell of something.
const refused = signal("");
const refusals = signal(0);

const impossible = computed(() => target.value.page === "app" && (!canBeApp(target.value.name) || refused.value === target.value.name));

// shared are the topics of the page at hand that are the same for everybody.
const shared = computed(() => {
  if (!session.value && !(session.value === undefined && expected())) return "";
  const { page, name } = target.value;
  if (page === "login") return "";
  if (page === "overview" || page === "apps") return "overview,apps,jobs";
  return page === "app" && !impossible.value ? `overview,jobs,app:${name}` : "overview,jobs";
});

const wanted = computed(() => (shared.value && !impossible.value ? tailKey(target.value, query.value) : ""));

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
    onRefused(problem) {
      if (problem.status === 401) session.value = null;
      else refuse(said(problem));
    },
  });
  return () => { clearTimeout(timer); stop(); };
}

function lost(): void {
  cut();
  tail.value?.cut();
}

// refuse does without what the address asks for beyond what all pages share: the
// tail, which says why; if there is none it was the app's name.
function refuse(why: string): void {
  const own = tail.peek();
  if (own?.topic()) own.take("gone", { text: why }, "");
  else if (target.peek().page === "app" && !impossible.peek()) refused.value = target.peek().name;
  else return lost();
  refusals.value++;
}

// start follows the address for as long as the page lives.
export function start(): void {
  effect(() => { if (impossible.value) gone.value = target.value.name; });
  effect(() => {
    const topics = shared.value;
    const own = attach(wanted.value);
    void refusals.value; // after one it is asked for less
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
