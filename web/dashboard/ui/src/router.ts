// URLs: the page that one shows, and navigation without a reload.
import { computed, signal } from "@preact/signals";

const here = () => ({ path: location.pathname, query: location.search });
const place = signal(here());

addEventListener("popstate", () => { place.value = here(); });

export const query = computed(() => new URLSearchParams(place.value.query));
export const pathname = computed(() => place.value.path);

// Place is a page: its addresses, its title, and how the rail shows it, if it does.
interface Place {
  form: RegExp;
  title: string;
  href?: string;  // of a page in the rail, which the search finds too
  icon?: string;
  within?: string; // the page in the rail that it belongs to
}

// places are all pages. That of an app or a node goes by its name.
export const places = {
  overview: { form: /^\/$/, title: "Overview", href: "/", icon: "M3 10l7-6 7 6v7h-5v-5H8v5H3z" },
  login: { form: /^\/login\/?$/, title: "Sign in" },
  apps: { form: /^\/apps\/?$/, title: "Apps", href: "/apps", icon: "M3 3h6v6H3zM11 3h6v6h-6zM3 11h6v6H3zM11 11h6v6h-6z" },
  app: { form: /^\/apps\/([^/]+)(?:\/([^/]*))?\/?$/, title: "", within: "apps" },
  jobs: { form: /^\/jobs\/?$/, title: "Jobs", href: "/jobs", icon: "M3 5h14M6 10h11M9 15h8" },
  job: { form: /^\/jobs\/([^/]+)\/?$/, title: "Job", within: "jobs" },
  node: { form: /^\/nodes\/([^/]+)\/?$/, title: "", within: "nodes" },
  nodes: { form: /^\/nodes\/?$/, title: "Nodes", href: "/nodes", icon: "M3 4h14v5H3zM3 11h14v5H3zM6 6.5h.1M6 13.5h.1" },
  settings: { form: /^\/settings\/?$/, title: "Settings", href: "/settings", icon: "M3 6h7M14 6h3M3 14h3M10 14h7M12 4v4M8 12v4" },
  missing: { form: /(?!)/, title: "Not found" },
} satisfies Record<string, Place>;

export type PageName = keyof typeof places;

const rows = Object.entries(places) as [PageName, Place][];

// inRail are the pages that the rail has, from the top.
export const inRail = rows.filter((row): row is [PageName, Place & Required<Pick<Place, "href" | "icon">>] => !!row[1].href && !!row[1].icon);

// Target is a page with the parts of its URL.
export interface Target { page: PageName; name: string; tab: string }

export function match(address: string): Target {
  for (const [page, { form }] of rows) {
    const m = form.exec(address);
    if (m) return { page, name: plain(m[1]), tab: plain(m[2]) };
  }
  return { page: "missing", name: "", tab: "" };
}

// titleOf is what the browser calls a page.
export const titleOf = ({ page, name }: Target): string => places[page].title || name;

// underRail is the page in the rail that a page is, or belongs to.
export const underRail = (page: PageName): string => (places[page] as Place).within ?? page;

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
export const nodeAddress = (name: string): string => "/nodes/" + encodeURIComponent(name);
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
