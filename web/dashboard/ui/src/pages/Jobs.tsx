import { useEffect } from "preact/hooks";
import { computed, useSignal } from "@preact/signals";
import { get, messageOf, path } from "../api";
import { brief, count } from "../format";
import { ended, shownState } from "../jobstore";
import { jobs } from "../live";
import { useOlder } from "../older";
import { appAddress, ask, jobAddress, query } from "../router";
import type { Job, Page } from "../types";
import { Button } from "../kit/Button";
import { Card } from "../kit/Card";
import { Foot } from "../kit/Copy";
import { Empty, Trouble, Wait } from "../kit/Empty";
import { Foreign } from "../kit/Foreign";
import { Line } from "../kit/Line";
import { Skeleton } from "../kit/Skeleton";
import { open } from "../kit/Running";
import { State, stateText } from "../kit/State";
import { Table, type Column } from "../kit/Table";
import { Ago, Duration } from "../kit/Time";

const columns: Column<Job>[] = [
  { head: "Job", cell: (j) => <Title job={j} /> },
  { head: "State", cell: (j) => <StateCell job={j} /> },
  { head: "App", cell: (j) => (j.app ? <a class="plain" href={appAddress(j.app)}>{j.app}</a> : "–") },
  { head: "By", cell: (j) => j.user || <span class="muted">Aorta</span> },
  { head: "Created", cell: (j) => <Ago at={j.created_at} /> },
  { head: "Duration", kind: "num", cell: (j) => <Duration from={j.created_at} to={j.ended_at} /> },
];

function Title({ job: j }: { job: Job }) {
  return (
    <span>
      <a class="name" href={jobAddress(j.id)}><Foreign text={j.title} /></a> <span class="mono muted">{brief(j.id)}</span>
      {j.reason && <span class="why clip"><Foreign text={j.reason} /></span>}
    </span>
  );
}

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

// How many ended jobs are live.
const asked = 50; // of people
const begun = 20; // of Aorta itself
const needy = 50; // that need attention

const newestFirst = (a: Job, b: Job) => (a.id < b.id ? 1 : -1);
const sorted = computed(() => [...(jobs.value?.values() ?? [])].sort(newestFirst));

// own says that a job stands among those of Aorta itself. What another job has
// caused is a step of that, unless it failed.
const own = (j: Job) => !j.user && (!j.cause || j.state === "failed");

// behind is the job of some after which older ones must be loaded: below it only
// open jobs and those that need attention are live.
export function behind(live: Job[], of: (j: Job) => boolean, most: number): string {
  return live.filter((j) => of(j) && ended(j))[most - 1]?.id ?? "";
}

// View is what the list may show. search finds the same on the server, also what is
// not live; from says behind which job that begins. What has none begins with the
// newest, since the live ones are few of them.
interface View { id: string; name: string; fits: (j: Job) => boolean; search: string; from?: (live: Job[]) => string }

const people = (live: Job[]) => behind(live, (j) => !!j.user, asked);
const itself = (live: Job[]) => behind(live, own, begun);

const views: View[] = [
  { id: "", name: "By people", fits: (j) => !!j.user, search: "by=people", from: people },
  { id: "aorta", name: "By Aorta", fits: own, search: "by=aorta&uncaused=true", from: itself },
  { id: "open", name: "Running", fits: (j) => open(j) && (!!j.user || own(j)), search: "state=open&uncaused=true", from: () => "" },
  { id: "failed", name: "Failed", fits: (j) => j.state === "failed", search: "state=failed" },
  { id: "attention", name: "Needs attention", fits: (j) => !!j.attention, search: "attention=true", from: (live) => live.filter((j) => j.attention)[needy - 1]?.id ?? "" },
];

function words(list: Job[]): { state: string; text: string } {
  const running = list.filter((j) => open(j) && (j.user || own(j))).length;
  const need = list.filter((j) => j.attention).length;
  const first = running === 0 ? "No jobs running" : `${count(running, "job")} running`;
  return need ? { state: "warn", text: `${first}; ${count(need, "failed job")} ${need === 1 ? "needs" : "need"} attention.` } : { state: running ? "active" : "ok", text: first + "." };
}

export function Jobs() {
  const live = sorted.value;
  if (!jobs.value) return <Skeleton title="Jobs" card="Jobs" rows={12} />;
  const says = words(live);
  const view = views.find((v) => v.id === (query.value.get("show") ?? "")) ?? views[0]!;
  return (
    <>
      <Line title="Jobs" state={says.state} text={says.text} />
      <List key={view.id} live={live} view={view} />
      <Foot text="aorta jobs" />
    </>
  );
}

const mostCounted = 10_000; // the server counts no further

// title names how many jobs there are, or at least how many.
function title(shown: number, total: number): string {
  return total > mostCounted ? `more than ${mostCounted} jobs` : count(Math.max(shown, total), "job");
}

// useTotal is how many jobs a view has on the server, asked anew when a live job
// begins or ends.
function useTotal(view: View, live: Job[]): number {
  const total = useSignal(0);
  const news = [live[0]?.id, live.filter(ended).length, live.filter((j) => j.attention).length].join();
  useEffect(() => {
    get<Page<Job>>(`${path("jobs")}?limit=1&count=true&${view.search}`).then((page) => { total.value = page.total ?? 0; }, () => {}); // then it counts what it has
  }, [news]);
  return total.value;
}

function List({ live, view }: { live: Job[]; view: View }) {
  const older = useOlder(live, newestFirst);
  const total = useTotal(view, live);
  const failed = useSignal("");
  const more = () => older.more(`${path("jobs")}?limit=100&${view.search}`, view.from?.(live) ?? "");
  useEffect(() => {
    if (!view.from) more().catch((err: unknown) => { failed.value = messageOf(err); });
  }, []);
  // An open job that is not live any more has ended.
  const left = older.asked ? older.rows.filter((j) => open(j) && !jobs.value?.has(j.id)).map((j) => j.id) : [];
  useEffect(() => {
    for (const id of left) get<Job>(path("jobs", id)).then((j) => older.keep([j]), () => {}); // then it stays as last received
  }, [left.join()]);
  const rows = older.rows.filter(view.fits);
  const loading = !view.from && !older.asked && !failed.value;
  return (
    <Card title={title(rows.length, total)} aside={
      <span class="segments" role="group" aria-label="Which">
        {views.map((v) => <button key={v.id} type="button" aria-pressed={v.id === view.id} onClick={() => ask("show", v.id)}>{v.name}</button>)}
      </span>}
    >
      {failed.value && <Trouble text={failed.value} />}
      {rows.length > 0 && <Table label="Jobs" columns={columns} rows={rows} keyOf={(j) => j.id} />}
      {rows.length === 0 && (live.length === 0 ? <Empty title="No jobs yet." commands={["git push aorta main"]}>Deploys, scaling and config changes run as jobs:</Empty> : loading ? <Wait /> : <p class="muted">No jobs match.</p>)}
      {(older.asked ? !older.end : !!view.from?.(live)) && <p><Button onClick={more}>Older jobs</Button></p>}
    </Card>
  );
}
