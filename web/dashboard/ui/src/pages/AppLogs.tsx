import { useMemo } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { brief } from "../format";
import { tail } from "../live";
import { LogStore } from "../logstore";
import { ask, query } from "../router";
import { longestSearch, searched } from "../tail";
import type { AppDetail } from "../types";
import { Button } from "../kit/Button";
import { Empty, Trouble, Wait } from "../kit/Empty";
import { LogView } from "../kit/LogView";

export function AppLogs({ detail }: { detail: AppDetail }) {
  const s = tail.value instanceof LogStore ? tail.value : null;
  const q = query.value;
  const search = searched(q.get("q") ?? "");
  const name = detail.app.name;
  const release = q.get("release") ?? "";
  const all = s?.lines.value;
  // The API does not filter by release, so the loaded lines are filtered here.
  const lines = useMemo(() => (release && all ? all.filter((l) => l.release === release) : all ?? []), [all, release]);
  if (!s) return <Wait rows={6} />;
  return (
    <section class="card" aria-label="Logs">
      <Filters detail={detail} search={search} type={q.get("type") ?? ""} instance={q.get("instance") ?? ""} release={release} store={s} />
      {s.state.value === "cut" && !s.gone.value && <p class="asof" role="status">Disconnected. The log continues where it stopped once the pacemaker is back.</p>}
      {s.gone.value && <Trouble text={s.gone.value} />}
      <LogView key={s.key} lines={lines} only={(id) => ask("instance", id)} search={search} label={`Logs of ${name}`} tall empty={s.gone.value ? null : s.state.value === "opening" ? search && <p class="empty muted">Searching for “{search}” …</p> : <None search={search} release={release} name={name} />} />
    </section>
  );
}

function None({ search, release, name }: { search: string; release: string; name: string }) {
  if (release) return <Empty title={`No lines of ${release} among the newest.`} commands={[`aorta logs -n 10000 -a ${name}`]} />;
  if (search) return <Empty title={`No line contains “${search}”.`} commands={[`aorta logs -n 1000 -a ${name}`]}>Without the search:</Empty>;
  return <Empty title="No output yet." commands={[`aorta logs -f -a ${name}`]}>Output of {name} appears here as it is written.</Empty>;
}

interface FilterProps { detail: AppDetail; search: string; type: string; instance: string; release: string; store: LogStore }

function Filters({ detail, search, type, instance, release, store }: FilterProps) {
  const types = [...new Set([...(detail.formation ?? []).map((p) => p.type), type])].filter(Boolean);
  const known = detail.instances ?? [];
  const releases = [...new Set([...(detail.releases ?? []).map((r) => r.release), release])].filter(Boolean);
  const words = useSignal(search);
  return (
    <form class="filters" role="search" aria-label="Lines" onSubmit={(e) => { e.preventDefault(); ask("q", words.value.trim()); }}>
      <input type="search" class="grow" aria-label="Search in the logs" placeholder="Search, then Enter" maxLength={longestSearch} value={words.value}
        onInput={(e) => { words.value = e.currentTarget.value; if (!words.value) ask("q", ""); }} />
      <select aria-label="Process type" value={type} onChange={(e) => ask("type", e.currentTarget.value)}>
        <option value="">all types</option>
        {types.map((t) => <option key={t} value={t}>{t}</option>)}
      </select>
      <select aria-label="Instance" value={instance} onChange={(e) => ask("instance", e.currentTarget.value)}>
        <option value="">all instances</option>
        {instance && !known.some((i) => i.id === instance) && <option value={instance}>{brief(instance)}</option>}
        {known.map((i) => <option key={i.id} value={i.id}>{i.type} {brief(i.id)} {i.release}</option>)}
      </select>
      <select aria-label="Release" value={release} onChange={(e) => ask("release", e.currentTarget.value)}>
        <option value="">all releases</option>
        {releases.map((r) => <option key={r} value={r}>{r}</option>)}
      </select>
      <Button onClick={() => store.pause(!store.paused.value)}>{store.paused.value ? "Resume" : "Pause"}</Button>
    </form>
  );
}
