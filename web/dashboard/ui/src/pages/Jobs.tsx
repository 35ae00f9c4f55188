import { computed, useSignal } from "@preact/signals";
import { get, path } from "../api";
import { brief, count } from "../format";
import { shownState } from "../jobstore";
import { jobs } from "../live";
import { appAddress, ask, jobAddress, query } from "../router";
import type { Job, Page } from "../types";
import { Button } from "../kit/Button";
import { Card } from "../kit/Card";
import { Foot } from "../kit/Copy";
import { Empty } from "../kit/Empty";
import { Foreign } from "../kit/Foreign";
import { Line } from "../kit/Line";
import { Skeleton } from "../kit/Skeleton";
import { open } from "../kit/Running";
import { State } from "../kit/State";
import { Table, type Column } from "../kit/Table";
import { Ago, Took } from "../kit/Time";

const columns: Column<Job>[] = [
  { head: "Job", cell: (j) => <span><a class="name" href={jobAddress(j.id)}><Foreign text={j.title} /></a> <span class="mono muted">{brief(j.id)}</span></span> },
  { head: "State", cell: (j) => <How job={j} /> },
  { head: "App", cell: (j) => (j.app ? <a class="plain" href={appAddress(j.app)}>{j.app}</a> : "–") },
  { head: "By", cell: (j) => j.user || "the platform" },
  { head: "Asked", cell: (j) => <Ago at={j.created_at} /> },
  { head: "Took", kind: "num", cell: (j) => <Took from={j.created_at} to={j.ended_at} /> },
];

function How({ job: j }: { job: Job }) {
  return (
    <span>
      <State state={shownState(j) === "running" ? "active" : j.state} word={shownState(j)} />
      {j.attention && <b class="warn"> needs attention</b>}
      {j.waits_for && <span class="why">waits for <Foreign text={j.waits_for.title} /></span>}
      {j.error && <span class="why clip"><Foreign text={j.error} /></span>}
    </span>
  );
}

const chosen: { id: string; name: string; fits: (j: Job) => boolean }[] = [
  { id: "", name: "All", fits: () => true },
  { id: "open", name: "Running", fits: open },
  { id: "failed", name: "Failed", fits: (j) => j.state === "failed" },
  { id: "attention", name: "Needs attention", fits: (j) => !!j.attention },
];

const shownEnded = 50; // so many that have ended come by themselves

const sorted = computed(() => [...(jobs.value?.values() ?? [])].sort((a, b) => (a.id < b.id ? 1 : -1)));

function words(list: Job[]): { state: string; text: string } {
  const running = list.filter(open).length;
  const need = list.filter((j) => j.attention).length;
  const first = running === 0 ? "Nothing runs" : `${count(running, "job")} ${running === 1 ? "runs" : "run"}`;
  return need ? { state: "warn", text: `${first}; ${count(need, "failed job")} ${need === 1 ? "needs" : "need"} attention.` } : { state: running ? "active" : "ok", text: first + "." };
}

export function Jobs() {
  const older = useSignal<Job[]>([]);
  const next = useSignal<string | null>(null);
  if (!jobs.value) return <Skeleton title="Jobs" card="Jobs" rows={12} />;
  const live = sorted.value;
  const says = words(live);
  const at = chosen.find((c) => c.id === (query.value.get("show") ?? "")) ?? chosen[0]!;
  const known = new Set(live.map((j) => j.id));
  const rows = [...live, ...older.value.filter((j) => !known.has(j.id))].filter(at.fits);
  const more = async () => {
    const from = next.value ?? live.at(-1)?.id ?? "";
    const page = await get<Page<Job>>(path("jobs") + "?limit=100" + (from ? "&cursor=" + encodeURIComponent(from) : ""));
    older.value = [...older.value, ...page.items];
    next.value = page.next ?? "";
  };
  return (
    <>
      <Line title="Jobs" state={says.state} text={says.text} />
      <Card title={count(rows.length, "job")} aside={
        <span class="segments" role="group" aria-label="Which">
          {chosen.map((c) => <button key={c.id} type="button" aria-pressed={c.id === at.id} onClick={() => ask("show", c.id)}>{c.name}</button>)}
        </span>}
      >
        {rows.length > 0 && <Table label="Jobs" columns={columns} rows={rows} keyOf={(j) => j.id} />}
        {rows.length === 0 && (live.length === 0 ? <Empty title="Nothing was asked for yet." commands={["git push aorta main"]}>A deploy, a change of scale or of config is a job:</Empty> : <p class="muted">None of these.</p>)}
        {(older.value.length > 0 || live.filter((j) => !open(j)).length >= shownEnded) && next.value !== "" && <p><Button onClick={more}>Older jobs</Button></p>}
      </Card>
      <Foot text="aorta jobs" />
    </>
  );
}
