// Tabs are links: each has an address of its own.
export interface Tab { id: string; name: string }

export function Tabs({ tabs, at, address, label }: { tabs: Tab[]; at: string; address: (id: string) => string; label: string }) {
  return (
    <nav class="tabs" aria-label={label}>
      {tabs.map((t) => <a key={t.id} href={address(t.id)} aria-current={t.id === at ? "page" : undefined}>{t.name}</a>)}
    </nav>
  );
}
