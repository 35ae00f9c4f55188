// Tabs are links: each has its own URL.
import { useEffect, useRef } from "preact/hooks";

export interface Tab { id: string; name: string }

export function Tabs({ tabs, at, address, label }: { tabs: Tab[]; at: string; address: (id: string) => string; label: string }) {
  const bar = useRef<HTMLElement>(null);
  useEffect(() => {
    const tab = bar.current?.querySelector<HTMLElement>("[aria-current]");
    if (bar.current && tab) bar.current.scrollLeft = tab.offsetLeft - (bar.current.clientWidth - tab.offsetWidth) / 2;
  }, [at]);
  return (
    <nav class="tabs" ref={bar} aria-label={label}>
      {tabs.map((t) => <a key={t.id} href={address(t.id)} aria-current={t.id === at ? "page" : undefined}>{t.name}</a>)}
    </nav>
  );
}
