// The live state of the cluster: one stream for the whole page, with the topics of
// its address. Its data is in signals. When the stream is cut, the values stay,
// marked as old.
import { batch, computed, effect, signal, untracked } from "@preact/signals";
import { messageOf, session } from "./api";
import { ahead, now, serverTime } from "./clock";
import { alive, aside, cut, expectTopics, late, reset, received } from "./freshness";
import { expected } from "./hint";
import { JobStore } from "./jobstore";
import { LogStore } from "./logstore";
import { unpressed } from "./press";
import { query, target } from "./router";
import { follow } from "./sse";
import { canBeApp, canBeNode, tailEvents, tailKey, type Tail } from "./tail";
import type { AppDetail, AppRow, Gone, Hello, Job, NodeDetail, Overview } from "./types";

const silence = 4000;       // the server sends something at least every 2 s
const hiddenAfter = 2000;   // a hidden page closes its stream: a browser opens only six to a host
const lateAfter = 400;      // how long a page may show values of the stream before without being marked old

export const hello = signal<Hello | null>(null);
export const overview = signal<Overview | null>(null);
export const apps = signal<ReadonlyMap<string, AppRow> | null>(null);
export const jobs = signal<ReadonlyMap<string, Job> | null>(null);
export const detail = signal<AppDetail | null>(null);
export const node = signal<NodeDetail | null>(null);
export const gone = signal(""); // the topic of an app or a node that does not exist
export const tail = signal<Tail | null>(null);

interface Rows<T> { all: boolean; rows: T[] | null; gone?: string[] | null }

function merged<T>(old: ReadonlyMap<string, T> | null, change: Rows<T>, key: (row: T) => string): ReadonlyMap<string, T> {
  const next = new Map(change.all ? [] : old ?? []);
  for (const row of change.rows ?? []) next.set(key(row), row);
  for (const id of change.gone ?? []) next.delete(id);
  return next;
}

const handlers: Record<string, (data: unknown) => void> = {
  hello(data) {
    hello.value = data as Hello;
    const time = Date.parse((data as Hello).time);
    if (!isNaN(time)) ahead.value = time - Date.now();
    now.value = serverTime();
    tail.value?.hello();
    received("hello");
  },
  overview(data) { overview.value = data as Overview; received("overview"); },
  apps(data) { apps.value = merged(apps.value, data as Rows<AppRow>, (row) => row.name); received("apps"); },
  jobs(data) { jobs.value = merged(jobs.value, data as Rows<Job>, (row) => row.id); received("jobs"); },
  app(data) {
    const d = data as AppDetail;
    if (d.app.name !== target.value.name) return; // of the previous page
    detail.value = d;
    gone.value = "";
    received("app:" + d.app.name);
  },
  node(data) {
    const d = data as NodeDetail;
    if (d.name !== target.value.name) return; // of the previous page
    node.value = d;
    gone.value = "";
    received("node:" + d.name);
  },
  gone(data) {
    const { app, node: name } = data as Gone;
    const topic = app ? "app:" + app : name ? "node:" + name : "";
    if (!topic) {
      tail.value?.receive("gone", data, "");
      return;
    }
    gone.value = topic;
    if (app && detail.value?.app.name === app) detail.value = null;
    if (name && node.value?.name === name) node.value = null;
    received(topic);
  },
};

function dispatch(event: string, data: unknown, id: string): void {
  if (!data) return;
  if (tailEvents.has(event)) tail.value?.receive(event, data, id);
  else unpressed(() => batch(() => handlers[event]?.(data)));
}

// refused is the topic of the app or node that the server refused to stream;
// refusals counts all refused streams.
const refused = signal("");
const refusals = signal(0);

// own is the topic of the app or node that the page is of; "" for other pages.
export const own = computed(() => {
  const { page, name } = target.value;
  return page === "app" || page === "node" ? `${page}:${name}` : "";
});

const impossible = computed(() => {
  const { page, name } = target.value;
  return own.value !== "" && (!(page === "app" ? canBeApp : canBeNode)(name) || refused.value === own.value);
});

// shared are the page's topics that are the same for all users.
const shared = computed(() => {
  if (!session.value && !(session.value === undefined && expected())) return "";
  const { page } = target.value;
  if (page === "login") return "";
  if (page === "overview" || page === "apps") return "overview,apps,jobs";
  return own.value && !impossible.value ? `overview,jobs,${own.value}` : "overview,jobs";
});

const wanted = computed(() => (shared.value && !impossible.value ? tailKey(target.value, query.value) : ""));

// attach returns the tail with a key: the present one if it has that key.
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

function open(topics: string, followed: Tail | null): () => void {
  const timer = setTimeout(late, lateAfter);
  const stop = follow({
    url() {
      expectTopics(["hello", ...topics.split(",")]);
      return "/api/v1/live?topics=" + encodeURIComponent([topics, followed?.topic()].filter(Boolean).join(","));
    },
    silence, onMessage: dispatch, onAlive: alive, onCut: lost,
    onRefused(problem) {
      if (problem.status === 401) session.value = null;
      else refuse(messageOf(problem));
    },
  });
  return () => { clearTimeout(timer); stop(); };
}

function lost(): void {
  cut();
  tail.value?.cut();
}

// refuse drops the part of the address that the server refused: the tail, which
// shows why, or else the app or the node.
function refuse(why: string): void {
  const followed = tail.peek();
  if (followed?.topic()) followed.receive("gone", { text: why }, "");
  else if (own.peek() && !impossible.peek()) refused.value = own.peek();
  else return lost();
  refusals.value++;
}

// start keeps the stream on the topics of the address, until the page is closed.
export function start(): void {
  effect(() => { if (impossible.value) gone.value = own.value; });
  effect(() => {
    const topics = shared.value;
    const followed = attach(wanted.value);
    void refusals.value; // a refusal reduces the topics
    if (!topics) return undefined;
    if (unseen.value) return aside();
    return untracked(() => open(topics, followed));
  });
}

// forget clears all data, before another user signs in.
export function forget(): void {
  overview.value = null;
  apps.value = null;
  jobs.value = null;
  detail.value = null;
  node.value = null;
  reset();
}
