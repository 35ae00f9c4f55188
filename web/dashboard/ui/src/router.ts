// URLs: the page that one shows, and navigation without a reload.
import { computed, signal } from "@preact/signals";

const here = () => ({ path: location.pathname, query: location.search });
const place = signal(here());

addEventListener("popstate", () => { place.value = here(); });

export const query = computed(() => new URLSearchParams(place.value.query));
export const pathname = computed(() => place.value.path);

// Target is a page with the parts of its URL.
export interface Target { page: "login" | "overview" | "apps" | "app" | "jobs" | "job" | "nodes" | "settings" | "missing"; name: string; tab: string }

const rows: [RegExp, Target["page"]][] = [
  [/^\/$/, "overview"], [/^\/login\/?$/, "login"], [/^\/apps\/?$/, "apps"], [/^\/apps\/([^/]+)(?:\/([^/]*))?\/?$/, "app"],
  [/^\/jobs\/?$/, "jobs"], [/^\/jobs\/([^/]+)\/?$/, "job"], [/^\/nodes\/?$/, "nodes"], [/^\/settings\/?$/, "settings"],
];

export function match(address: string): Target {
  for (const [form, page] of rows) {
    const m = form.exec(address);
    if (m) return { page, name: plain(m[1]), tab: plain(m[2]) };
  }
  return { page: "missing", name: "", tab: "" };
}

function plain(part: string | undefined): string {
  try {
    return decodeURIComponent(part ?? "");
  } catch {
    return part ?? "";
  }
}

export const target = computed(() => match(place.value.path));

function ours(address: string): boolean {
  try {
    return /^\/(?![/\\])/.test(address) && new URL(address, location.origin).origin === location.origin;
  } catch {
    return false;
  }
}

// landing is the page after a sign-in: the one that was requested, if it exists.
export function landing(next: string | null): string {
  return next && ours(next) && match(new URL(next, location.origin).pathname).page !== "login" ? next : "/";
}

// go shows a page of the dashboard; other URLs are ignored.
export function go(address: string, replace = false): void {
  if (!ours(address)) return;
  history[replace ? "replaceState" : "pushState"](null, "", address);
  const from = place.value.path;
  place.value = here();
  if (!replace && from !== place.value.path) scrollTo(0, 0);
  const part = address.split("#")[1];
  if (part) setTimeout(() => document.getElementById(plain(part))?.scrollIntoView({ block: "center" })); // once it is drawn
}

// ask changes one value of the query; empty removes it.
export function ask(key: string, value: string): void {
  const next = new URLSearchParams(place.value.query);
  if (value) next.set(key, value);
  else next.delete(key);
  const text = next.toString();
  go(place.value.path + (text ? "?" + text : ""), true);
}

export const appAddress = (name: string, tab = ""): string => "/apps/" + encodeURIComponent(name) + (tab ? "/" + tab : "");
export const jobAddress = (id: string): string => "/jobs/" + encodeURIComponent(id);

// Plain clicks on links of the dashboard don't reload; with a modifier the browser
// handles them.
document.addEventListener("click", (e) => {
  if (e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
  const link = (e.target as Element | null)?.closest?.("a[href]") as HTMLAnchorElement | null;
  if (!link || link.target || link.origin !== location.origin || link.hasAttribute("download")) return;
  if (link.getAttribute("href")?.startsWith("#") || link.pathname.startsWith("/api/") || link.pathname.startsWith("/assets/")) return;
  e.preventDefault();
  go(link.pathname + link.search);
});
