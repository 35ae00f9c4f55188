// The live state of the cluster: one stream for the whole page, whose topics
// follow the address. What it brings lies in signals; what is on the page stays
// when the stream is cut, and is known to be old.
import { computed, effect, signal } from "@preact/signals";
import { session } from "./api";
import { ahead, now, serverTime } from "./clock";
import { target } from "./router";
import { follow } from "./sse";
import type { AppDetail, AppRow, Hello, Job, Overview } from "./types";

const silence = 4000;      // the server says something at least every 2 s
const bannerAfter = 2000;  // a cut shorter than this is not worth a word
const hiddenAfter = 15_000; // a page that nobody sees lets go of its stream

export const hello = signal<Hello | null>(null);
export const overview = signal<Overview | null>(null);
export const apps = signal<ReadonlyMap<string, AppRow> | null>(null);
export const jobs = signal<ReadonlyMap<string, Job> | null>(null);
export const detail = signal<AppDetail | null>(null);
export const gone = signal(""); // the app that is no more, or never was

// fresh is whether the stream lives; asOf when it last did; cutAt since when it
// does not, 0 while it does.
export const fresh = signal(false);
export const asOf = signal(0);
const cutAt = signal(0);

// banner is whether to say that the pacemaker can't be reached.
export const banner = computed(() => cutAt.value > 0 && now.value - cutAt.value >= bannerAfter);

function cut(): void {
  fresh.value = false;
  if (!cutAt.value) cutAt.value = serverTime();
}

function alive(): void {
  asOf.value = serverTime();
  cutAt.value = 0;
}

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
    fresh.value = true;
  },
  overview(data) { overview.value = data as Overview; },
  apps(data) { apps.value = merged(apps.value, data as Rows<AppRow>, (row) => row.name); },
  jobs(data) { jobs.value = merged(jobs.value, data as Rows<Job>, (row) => row.id); },
  app(data) {
    const d = data as AppDetail;
    if (d.app.name !== target.value.name) return; // of the page before
    detail.value = d;
    gone.value = "";
  },
  gone(data) {
    const name = (data as { app: string }).app;
    gone.value = name;
    if (detail.value?.app.name === name) detail.value = null;
  },
};

// topics are what the page at hand shows.
const topics = computed(() => {
  if (!session.value) return "";
  const { page, name } = target.value;
  if (page === "login") return "";
  if (page === "overview" || page === "apps") return "overview,apps,jobs";
  return page === "app" ? `overview,jobs,app:${name}` : "overview,jobs";
});

const unseen = signal(false);
let hiding = 0;
document.addEventListener("visibilitychange", () => {
  clearTimeout(hiding);
  if (!document.hidden) unseen.value = false;
  else hiding = setTimeout(() => { unseen.value = true; }, hiddenAfter);
});

// start follows the address for as long as the page lives.
export function start(): void {
  effect(() => {
    const asked = topics.value;
    if (!asked || unseen.value) {
      if (unseen.value) fresh.value = false;
      return undefined;
    }
    return follow({
      url: "/api/v1/live?topics=" + encodeURIComponent(asked), silence,
      onMessage(event, data) { if (data) takers[event]?.(data); },
      onAlive: alive, onCut: cut,
      onRefused(status) {
        cut();
        if (status === 401) session.value = null;
        if (status === 404 && target.value.page === "app") gone.value = target.value.name;
      },
    });
  });
}

// forget drops what one person saw before another one signs in.
export function forget(): void {
  overview.value = null;
  apps.value = null;
  jobs.value = null;
  detail.value = null;
  fresh.value = false;
  cutAt.value = 0;
}
