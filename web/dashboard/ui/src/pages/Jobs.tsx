import { useEffect } from "preact/hooks";
import { computed } from "@preact/signals";
import { get, path } from "../api";
import { brief, count } from "../format";
import { ended, shownState } from "../jobstore";
import { jobs } from "../live";
import { useOlder } from "../older";
import { appAddress, ask, jobAddress, query } from "../router";
import type { Job } from "../types";
import { Button } from "../kit/Button";
import { Card } from "../kit/Card";
import { Foot } from "../kit/Copy";
import { Empty } from "../kit/Empty";
import { Foreign } from "../kit/Foreign";
import { Line } from "../kit/Line";
import { Skeleton } from "../kit/Skeleton";
import { open } from "../kit/Running";
import { State, stateText } from "../kit/State";
import { Table, type Column } from "../kit/Table";
import { Ago, Duration } from "../kit/Time";

const columns: Column<Job>[] = [
  { head: "Job", cell: (j) => <span><a class="name" href={jobAddress(j.id)}><Foreign text={j.title} /></a> <span class="mono muted">{brief(j.id)}</span></span> },
  { head: "State", cell: (j) => <StateCell job={j} /> },
  { head: "App", cell: (j) => (j.app ? <a class="plain" href={appAddress(j.app)}>{j.app}</a> : "–") },
  { head: "User", cell: (j) => j.user || "the platform" },
  { head: "Created", cell: (j) => <Ago at={j.created_at} /> },
  { head: "Duration", kind: "num", cell: (j) => <Duration from={j.created_at} to={j.ended_at} /> },
];

function StateCell({ job: j }: { job: Job }) {
  return (
    <span>
      <State state={shownState(j) === "running" ? "active" : j.state} word={stateText(shownState(j))} />
      {j.attention && <b class="warn"> needs attention</b>}
      {j.waits_for && <span class="why">waiting for <Foreign text={j.waits_for.title} /></span>}
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

const shownEnded = 50; // this many ended jobs are live

const newestFirst = (a: Job, b: Job) => (a.id < b.id ? 1 : -1);
const sorted = computed(() => [...(jobs.value?.values() ?? [])].sort(newestFirst));

// behind is the job after which older ones must be loaded: below it only open jobs
// and those that need attention are live.
export function behind(live: Job[]): string {
  return live.filter(ended)[shownEnded - 1]?.id ?? "";
}

// asked says that a job has a line of its own: what another one has caused is a step
// of that, unless it failed.
const asked = (j: Job) => !j.cause || j.state === "failed";

function words(list: Job[]): { state: string; text: string } {
  const running = list.filter((j) => open(j) && asked(j)).length;
  const need = list.filter((j) => j.attention).length;
  const first = running === 0 ? "No jobs running" : `${count(running, "job")} running`;
  return need ? { state: "warn", text: `${first}; ${count(need, "failed job")} ${need === 1 ? "needs" : "need"} attention.` } : { state: running ? "active" : "ok", text: first + "." };
}

export function Jobs() {
  const live = sorted.value;
  const older = useOlder(live, newestFirst);
  // An open job that is not live any more has ended.
  const left = older.asked ? older.rows.filter((j) => open(j) && !jobs.value?.has(j.id)).map((j) => j.id) : [];
  useEffect(() => {
    for (const id of left) get<Job>(path("jobs", id)).then((j) => older.keep([j]), () => {}); // then it stays as last received
  }, [left.join()]);
  if (!jobs.value) return <Skeleton title="Jobs" card="Jobs" rows={12} />;
  const says = words(live);
  const at = chosen.find((c) => c.id === (query.value.get("show") ?? "")) ?? chosen[0]!;
  const rows = older.rows.filter((j) => asked(j) && at.fits(j));
  return (
    <>
      <Line title="Jobs" state={says.state} text={says.text} />
      <Card title={count(rows.length, "job")} aside={
        <span class="segments" role="group" aria-label="Which">
          {chosen.map((c) => <button key={c.id} type="button" aria-pressed={c.id === at.id} onClick={() => ask("show", c.id)}>{c.name}</button>)}
        </span>}
      >
        {rows.length > 0 && <Table label="Jobs" columns={columns} rows={rows} keyOf={(j) => j.id} />}
        {rows.length === 0 && (live.length === 0 ? <Empty title="No jobs yet." commands={["git push aorta main"]}>Deploys, scaling and config changes run as jobs:</Empty> : <p class="muted">No jobs match.</p>)}
        {(older.asked ? !older.end : behind(live) !== "") && <p><Button onClick={() => older.more(path("jobs") + "?limit=100&uncaused=true", behind(live))}>Older jobs</Button></p>}
      </Card>
      <Foot text="aorta jobs" />
    </>
  );
}
