import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { may, path, post, session } from "../api";
import { brief, exact } from "../format";
import { ended, JobStore, shownState, type Tree } from "../jobstore";
import { jobs, tail } from "../live";
import { appAddress, go, jobAddress, target } from "../router";
import type { Accepted, Job as One } from "../types";
import { Button } from "../kit/Button";
import { Card } from "../kit/Card";
import { Foot } from "../kit/Copy";
import { Confirm } from "../kit/Dialog";
import { Empty, Trouble } from "../kit/Empty";
import { firstLine, Foreign } from "../kit/Foreign";
import { Line } from "../kit/Line";
import { Skeleton } from "../kit/Skeleton";
import { Steps } from "../kit/Steps";
import { Ago, Duration } from "../kit/Time";

export function Job() {
  const id = target.value.name;
  const s = tail.value instanceof JobStore ? tail.value : null;
  const tree = s?.tree.value;
  const root = tree?.root;
  useCaused(s, root);
  if (!session.value) return <Skeleton title="Job" card="Steps" rows={6} />;
  if (!s || s.missing.value) return <><Line title="Job" state="stopped" text={`There is no job ${id.slice(0, 40)}.`} /><Empty title="It never existed, or its record was removed." commands={["aorta jobs"]}><a href="/jobs">All jobs</a></Empty></>;
  if (s.error.value && !root) return <><h1>Job</h1><Trouble text={s.error.value} retry={() => s.open()} /></>;
  if (!tree || !root) return <Skeleton title="Job" card="Steps" rows={6} />;
  return (
    <>
      <Line title={root.title} state={shownState(root) === "running" ? "active" : root.state} word="" text={words(tree, root)} aside={<Actions root={root} again={() => s.open()} />} />
      <Facts root={root} />
      <Card title="Steps">
        {s.error.value && <Trouble text={s.error.value} retry={() => s.open()} />}
        <Steps tree={tree} />
      </Card>
      <Foot text={ended(root) ? `aorta jobs show ${brief(root.id)}` : `aorta jobs follow ${brief(root.id)}`} />
    </>
  );
}

// words describe where the job is: the running step, or how it ended.
function words(tree: Tree, root: One): string {
  if (root.discarded_at) return `${past(root.state)}, discarded by ${root.discarded_by || "Aorta"}.`;
  if (root.state === "failed") return `Failed: ${firstLine(root.error || "see below")}`;
  if (root.state === "aborted") return upper(firstLine(root.error || past(root.state))) + ".";
  if (ended(root)) return past(root.state) + ".";
  if (root.waits_for) return `Waiting for another job to end: ${root.waits_for.title}.`;
  const { steps } = tree;
  const at = steps.find((s) => s.state === "running");
  const done = steps.filter((s) => s.state === "succeeded").length;
  return at ? `Running: ${at.name}. ${done} of ${steps.length} steps done.` : steps.length ? `${done} of ${steps.length} steps done.` : "Queued.";
}

const upper = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

const past = (state: string) => ({ succeeded: "Succeeded", failed: "Failed", aborted: "Cancelled" })[state] ?? state;

// useCaused loads a job again that has ended when something that it has caused goes
// on: its last step, the drain of what it replaced, is a job of its own.
function useCaused(s: JobStore | null, root: One | undefined) {
  const caused = [...(jobs.value?.values() ?? [])].filter((j) => root && j.cause === root.id).map((j) => j.id + j.state).sort().join();
  const before = useRef(caused);
  useEffect(() => {
    if (caused !== before.current && ended(root)) void s?.open();
    before.current = caused;
  }, [caused]);
}

function Facts({ root }: { root: One }) {
  return (
    <dl class="figures">
      <div><dt>Created</dt><dd><Ago at={root.created_at} /> <span class="muted">by {root.user || "Aorta"}</span></dd></div>
      <div><dt>Duration</dt><dd><b><Duration from={root.created_at} to={root.ended_at} /></b></dd></div>
      {root.app && <div><dt>App</dt><dd><a href={appAddress(root.app)}>{root.app}</a></dd></div>}
      {root.waits_for && <div><dt>Waiting for</dt><dd><a href={jobAddress(root.waits_for.id)}><Foreign text={root.waits_for.title} /></a> <span class="muted">since {exact(root.waits_for.since)}</span></dd></div>}
      {root.reason && <div><dt>Why</dt><dd><Foreign text={root.reason} /></dd></div>}
      {root.cause && <div><dt>Caused by</dt><dd><a href={jobAddress(root.cause)} class="mono">{brief(root.cause)}</a></dd></div>}
      {root.retry_of && <div><dt>Retry of</dt><dd><a href={jobAddress(root.retry_of)} class="mono">{brief(root.retry_of)}</a></dd></div>}
    </dl>
  );
}

function Actions({ root, again }: { root: One; again: () => void }) {
  const asked = useSignal<"" | "abort" | "discard">("");
  if (!may("developer")) return null;
  const close = () => { asked.value = ""; };
  const retry = async () => {
    const { job } = await post<Accepted>(path("jobs", root.id, "retry"));
    if (job) go(jobAddress(job));
  };
  const failed = (root.state === "failed" || root.state === "aborted") && !root.discarded_at;
  return (
    <span class="links">
      {!ended(root) && <Button kind="danger" onClick={() => { asked.value = "abort"; }}>Cancel</Button>}
      {failed && <Button onClick={() => { asked.value = "discard"; }}>Discard</Button>}
      {failed && <Button kind="primary" onClick={retry}>Retry</Button>}
      {asked.value === "abort" && (
        <Confirm title="Cancel the job" verb="Cancel the job" leave="Keep the job" danger act={() => post(path("jobs", root.id, "abort"))} onClose={close}
          says={<p>Running steps are stopped and cleaned up; waiting ones are not started. What serves goes on serving.</p>} />
      )}
      {asked.value === "discard" && (
        <Confirm title="Discard the job" verb="Discard it" act={async () => { await post(path("jobs", root.id, "discard")); again(); }} onClose={close}
          says={<p>The job no longer needs attention and can't be retried. Its record stays.</p>} />
      )}
    </span>
  );
}
