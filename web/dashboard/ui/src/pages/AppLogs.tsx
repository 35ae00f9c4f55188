import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { path } from "../api";
import { brief } from "../format";
import { ask, query } from "../router";
import { follow } from "../sse";
import type { AppDetail, LogLine } from "../types";
import { Button } from "../kit/Button";
import { Empty } from "../kit/Empty";
import { LogView, type Shown } from "../kit/LogView";

const most = 10_000;  // lines kept in the page
const first = 1000;   // lines asked for at the start

function shown(key: number, l: LogLine): Shown {
  return { key, time: l.time, from: `${l.type} ${brief(l.instance)}`, text: l.text, stream: l.stream, more: `${l.release} on ${l.node}` };
}

export function AppLogs({ detail }: { detail: AppDetail }) {
  const lines = useSignal<Shown[]>([]);
  const state = useSignal<"opening" | "open" | "cut">("opening");
  const paused = useSignal(false);
  const q = query.value;
  const search = q.get("q") ?? "";
  const type = q.get("type") ?? "";
  const instance = q.get("instance") ?? "";
  const name = detail.app.name;
  useEffect(() => {
    const held: Shown[] = [];
    let key = 0;
    let timer = 0;
    const show = () => {
      timer = 0;
      if (paused.value) return;
      lines.value = [...lines.value, ...held.splice(0)].slice(-most);
    };
    lines.value = [];
    state.value = "opening";
    const asked = new URLSearchParams({ n: String(first) });
    for (const [k, v] of Object.entries({ search, type, instance })) if (v) asked.set(k, v);
    const stop = follow({
      url: path("apps", name, "logs", "stream") + "?" + asked, silence: 40_000,
      onAlive: () => { state.value = "open"; },
      onCut: () => { state.value = "cut"; },
      onRefused: () => { state.value = "cut"; },
      onMessage(event, data) {
        if (!data) return;
        if (event === "line") held.push(shown(++key, data as LogLine));
        if (event === "missed") held.push({ key: ++key, time: "", from: "", text: "", missed: (data as { n: number }).n });
        if (held.length > most) held.splice(0, held.length - most);
        timer ||= setTimeout(show, 50);
      },
    });
    const unpause = paused.subscribe((p) => { if (!p) show(); });
    return () => { stop(); unpause(); clearTimeout(timer); };
  }, [name, search, type, instance]);
  return (
    <section class="card" aria-label="Logs">
      <Filters detail={detail} search={search} type={type} instance={instance} paused={paused.value} pause={() => { paused.value = !paused.value; }} />
      {state.value === "cut" && <p class="asof" role="status">The stream is cut; it goes on where it was when the pacemaker answers again.</p>}
      <LogView lines={lines.value} search={search} label={`Logs of ${name}`} tall empty={state.value === "opening" ? null : <None search={search} name={name} />} />
    </section>
  );
}

function None({ search, name }: { search: string; name: string }) {
  if (search) return <Empty title={`No line holds “${search}”.`} />;
  return <Empty title="No line yet.">What {name} writes to its output shows here as it comes.</Empty>;
}

interface FilterProps { detail: AppDetail; search: string; type: string; instance: string; paused: boolean; pause: () => void }

function Filters({ detail, search, type, instance, paused, pause }: FilterProps) {
  const types = [...new Set([...(detail.formation ?? []).map((p) => p.type), type])].filter(Boolean);
  const known = detail.instances ?? [];
  const words = useSignal(search);
  return (
    <form class="filters" role="search" aria-label="Lines" onSubmit={(e) => { e.preventDefault(); ask("q", words.value.trim()); }}>
      <input type="search" class="grow" aria-label="Search in the logs" placeholder="Search, then Enter" value={words.value}
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
      <Button onClick={pause}>{paused ? "Go on" : "Pause"}</Button>
    </form>
  );
}
