// The search that goes anywhere: "/" or Ctrl-K.
import { useEffect, useRef } from "preact/hooks";
import { signal, useSignal } from "@preact/signals";
import { get, path, session } from "../api";
import { brief } from "../format";
import { detail, jobs, overview } from "../live";
import { appAddress, go, inRail, jobAddress, nodeAddress } from "../router";
import type { App, Page } from "../types";
import { Dialog } from "./Dialog";
import { Foreign } from "./Foreign";

export const searching = signal(false);

interface Place { kind: string; name: string; more?: string; href: string }

const known = signal<App[]>([]); // loaded when the search opens
let askedAt = 0;

async function ask(): Promise<void> {
  if (Date.now() - askedAt < 10_000) return;
  askedAt = Date.now();
  try {
    known.value = (await get<Page<App>>(path("apps") + "?limit=1000")).items;
  } catch {
    askedAt = 0; // then only what the page knows is searched
  }
}

document.addEventListener("keydown", (e) => {
  const typing = (e.target as Element | null)?.closest?.("input, textarea, select, [contenteditable]");
  const slash = e.key === "/" && !typing && !e.ctrlKey && !e.metaKey && !e.altKey;
  const ctrlK = e.key.toLowerCase() === "k" && (e.ctrlKey || e.metaKey);
  if (!session.value || (!slash && !ctrlK) || document.querySelector("dialog[open]")) return;
  e.preventDefault();
  searching.value = true;
});

const fixed: Place[] = [
  ...inRail.map(([, p]) => ({ kind: "page", name: p.title, href: p.href })),
  { kind: "page", name: "Jobs that need attention", href: "/jobs?show=attention" },
];

function places(): Place[] {
  const list = [...fixed];
  for (const a of known.value) {
    list.push({ kind: "app", name: a.name, href: appAddress(a.name) });
    for (const host of a.hosts ?? []) list.push({ kind: "host", name: host, more: a.name, href: appAddress(a.name, "domains") });
  }
  for (const n of overview.value?.nodes ?? []) list.push({ kind: "node", name: n.name, more: n.address, href: nodeAddress(n.name) });
  for (const j of jobs.value?.values() ?? []) list.push({ kind: "job", name: j.title, more: brief(j.id), href: jobAddress(j.id) });
  for (const i of detail.value?.instances ?? []) {
    list.push({ kind: "instance", name: `${i.app} ${i.type} ${brief(i.id)}`, more: i.node, href: appAddress(i.app, "logs") + "?instance=" + i.id });
  }
  return list;
}

export function find(words: string, list: Place[]): Place[] {
  const parts = words.toLowerCase().split(/\s+/).filter(Boolean);
  if (parts.length === 0) return list.filter((p) => p.kind === "page" || p.kind === "app").slice(0, 12);
  const score = (p: Place) => (p.name.toLowerCase().startsWith(parts[0]!) ? 0 : 1);
  const hits = list.filter((p) => parts.every((w) => `${p.kind} ${p.name} ${p.more ?? ""}`.toLowerCase().includes(w)));
  return hits.map((p, i) => ({ p, i })).sort((a, b) => score(a.p) - score(b.p) || a.i - b.i).slice(0, 12).map(({ p }) => p);
}

export function Search() {
  return searching.value ? <Open /> : null;
}

function Open() {
  const words = useSignal("");
  const at = useSignal(0);
  const left = useRef(false);
  useEffect(() => { void ask(); }, []);
  useEffect(() => { document.getElementById(`hit-${at.value}`)?.scrollIntoView({ block: "nearest" }); }, [at.value]);
  const hits = find(words.value, places());
  const leave = () => { searching.value = false; };
  const visit = (p: Place | undefined) => {
    if (!p) return;
    left.current = true;
    leave();
    go(p.href);
  };
  const key = (e: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
    if (step && hits.length) {
      e.preventDefault();
      at.value = (at.value + step + hits.length) % hits.length;
    }
    if (e.key === "Enter") visit(hits[at.value]);
  };
  return (
    <Dialog title="Go to" onClose={leave} look="high" left={left}>
      <input
        class="wide" role="combobox" aria-label="App, host, job, node or instance" aria-expanded="true" aria-controls="hits" aria-autocomplete="list"
        aria-activedescendant={hits.length ? `hit-${at.value}` : undefined} autocomplete="off" spellcheck={false} autofocus
        placeholder="App, host, job, node, instance" onKeyDown={key} onInput={(e) => { words.value = e.currentTarget.value; at.value = 0; }}
      />
      <ul id="hits" class="hits" role="listbox" aria-label="Results">
        {hits.map((p, i) => (
          <li key={p.href + p.name} id={`hit-${i}`} role="option" aria-selected={i === at.value} onClick={() => visit(p)} onMouseEnter={() => { at.value = i; }}>
            <span class="muted kind">{p.kind}</span><span class="grow"><Foreign text={p.name} /></span><span class="muted mono"><Foreign text={p.more} /></span>
          </li>
        ))}
      </ul>
      {hits.length === 0 && <p class="muted" role="status">No matches.</p>}
    </Dialog>
  );
}
