// The frame of every page: navigation, the cluster's health, running jobs.
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { session, signOut } from "../api";
import { clock } from "../format";
import { asOf, banner, fresh } from "../freshness";
import { forget, hello, overview } from "../live";
import { go, inRail, target, underRail } from "../router";
import { choose, theme } from "../theme";
import type { Theme } from "../theme-stored";
import { Button } from "./Button";
import { Running } from "./Running";
import { Search, searching } from "./Search";
import { State } from "./State";
import { Notice } from "./Notice";

export function Frame({ children }: { children: ComponentChildren }) {
  const cut = banner.value;
  return (
    <div class={fresh.value ? "frame" : "frame old"}>
      <a class="skip" href="#main">Skip to content</a>
      <Rail />
      <Top />
      <div class="middle">
        {cut && <Banner />}
        <Running />
        <main id="main" tabIndex={-1}>{children}</main>
      </div>
      <Search />
    </div>
  );
}

function Rail() {
  const { page } = target.value;
  return (
    <nav class="rail" aria-label="Pages">
      {inRail.map(([name, p]) => (
        <a key={name} href={p.href} aria-current={name === underRail(page) ? "page" : undefined}>
          <svg viewBox="0 0 20 20" aria-hidden="true"><path d={p.icon} /></svg>{p.title}
        </a>
      ))}
    </nav>
  );
}

const words = { ok: "healthy", warn: "needs attention", bad: "critical" };

function Top() {
  const o = overview.value;
  return (
    <header class="top">
      <a class="brand" href="/">Aorta</a>
      <span class="cluster">
        {hello.value && <span class="mono muted" title={`cluster ${hello.value.cluster}, version ${hello.value.version}`}>{hello.value.cluster.slice(-8)}</span>}
        {o && fresh.value && <a href="/" class="plain"><State state={o.state} word={words[o.state]} /></a>}
        {!fresh.value && asOf.value > 0 && <span class="asof">as of {clock(new Date(asOf.value))}</span>}
      </span>
      <Notice />
      <button type="button" class="search" onClick={() => { searching.value = true; }} aria-haspopup="dialog" aria-label="Search">
        <svg viewBox="0 0 20 20" aria-hidden="true"><path d="M9 3a6 6 0 1 1 0 12A6 6 0 0 1 9 3zm4.5 10.5L18 18" /></svg><span>Search</span><kbd>/</kbd>
      </button>
      <Person />
    </header>
  );
}

function Banner() {
  return (
    <p class="banner" role="alert">
      <b>The pacemaker can't be reached.</b> Apps don't need it to serve. This page shows the last known state
      {asOf.value > 0 ? ` of ${clock(new Date(asOf.value))}` : ""} and updates by itself once the pacemaker is back.
    </p>
  );
}

function Person() {
  const box = useRef<HTMLDetailsElement>(null);
  const who = session.value;
  const leave = async () => {
    await signOut();
    forget();
    go("/login");
  };
  const close = () => { if (box.current) box.current.open = false; };
  useEffect(() => {
    const key = (e: KeyboardEvent) => {
      if (e.key !== "Escape" || !box.current?.open || document.querySelector("dialog[open]")) return;
      close();
      box.current.querySelector("summary")?.focus();
    };
    const outside = (e: Event) => { if (!box.current?.contains(e.target as Node)) close(); };
    document.addEventListener("keydown", key);
    document.addEventListener("pointerdown", outside);
    return () => {
      document.removeEventListener("keydown", key);
      document.removeEventListener("pointerdown", outside);
    };
  }, []);
  const left = (e: FocusEvent) => { if (e.relatedTarget && !box.current?.contains(e.relatedTarget as Node)) close(); };
  if (!who) return null;
  return (
    <details class="person" ref={box} onFocusOut={left}>
      <summary aria-label={`Signed in as ${who.user}`}><span>{who.user}</span></summary>
      <div class="menu">
        <p><b>{who.user}</b><br /><span class="muted">{who.role}</span></p>
        <label>Colours
          <select value={theme.value} onChange={(e) => choose(e.currentTarget.value as Theme)}>
            <option value="system">system default</option><option value="dark">dark</option><option value="light">light</option>
          </select>
        </label>
        <a href="/settings" onClick={close}>Settings and sessions</a>
        <Button onClick={leave}>Sign out</Button>
      </div>
    </details>
  );
}
