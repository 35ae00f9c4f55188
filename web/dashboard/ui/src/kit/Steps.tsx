// A job's steps in the order in which they happen, with a line for each instance
// below them. What failed is open with its log, as is what is at work.
import { useSignal } from "@preact/signals";
import { linesOf, ended, type Tree } from "../jobstore";
import type { JobLine, Step } from "../types";
import type { Shown } from "../logstore";
import { Foreign } from "./Foreign";
import { LogView } from "./LogView";
import { widthOf } from "./rows";
import { Shape, stateText } from "./State";
import { Duration } from "./Time";

const many = 12; // above so many lines those that are done share one

export function Steps({ tree }: { tree: Tree }) {
  return <ul class="tree" aria-label="Steps">{tree.steps.map((s) => <Row key={s.id} tree={tree} step={s} />)}</ul>;
}

function Row({ tree, step }: { tree: Tree; step: Step }) {
  const choice = useSignal<boolean | null>(null); // the user's choice, over the default of the state
  const lines = linesOf(tree, step);
  const below = step.children.some((c) => c.state === "failed");
  const failedHere = step.state === "failed" && !below;
  const open = choice.value ?? (failedHere || step.state === "running");
  const said = step.state === "aborted" && !step.started_at ? "skipped" : stateText(step.state);
  return (
    <li class={step.state === "failed" ? "failed" : ""}>
      <button type="button" class="job" aria-expanded={lines.length > 0 ? open : undefined} disabled={lines.length === 0} onClick={() => { choice.value = !open; }}>
        <Shape state={step.state === "running" ? "active" : step.state} />
        <span class="title"><Foreign text={step.name} /></span>
        <span class="word">{said}{step.attempt && step.attempt > 1 ? `, attempt ${step.attempt}` : ""}</span>
        <Far step={step} />
        {step.started_at && <Duration from={step.started_at} to={step.ended_at} />}
      </button>
      {step.error && step.state === "superseded" && <p class="muted"><Foreign text={step.error} /></p>}
      {step.error && (failedHere || !ended(step)) && <p class="error"><Foreign text={step.error} /></p>}
      {open && lines.length > 0 && <Lines lines={lines} title={step.name} few={failedHere && choice.value === null} />}
      {step.children.length > 0 && <Children tree={tree} list={step.children} />}
    </li>
  );
}

// Far is how far a step at work is.
function Far({ step }: { step: Step }) {
  const { n, m, text } = step.progress;
  if (ended(step)) return null;
  return (
    <>
      {text && <span class="muted"><Foreign text={text} /></span>}
      {!step.parent && m > 0 && <><span class="muted">{n} of {m}</span><progress max={m} value={n} aria-label="Progress" /></>}
    </>
  );
}

function Children({ tree, list }: { tree: Tree; list: Step[] }) {
  const all = useSignal(false);
  const folded = !all.value && list.length > many ? list.filter((s) => s.state === "succeeded").slice(2) : [];
  return (
    <ul>
      {list.filter((s) => !folded.includes(s)).map((s) => <Row key={s.id} tree={tree} step={s} />)}
      {folded.length > 0 && <li><button type="button" class="job" onClick={() => { all.value = true; }}><Shape state="succeeded" />and {folded.length} more</button></li>}
    </ul>
  );
}

function Lines({ lines, title, few }: { lines: JobLine[]; title: string; few: boolean }) {
  const at = few ? Math.max(0, lines.length - 20) : 0;
  const shown: Shown[] = lines.slice(at).map((l, i) => ({ key: at + i + 1, time: l.time, from: "", text: l.text, width: widthOf(l.text) }));
  return <LogView lines={shown} search="" label={`Log of ${title}`} empty={null} />;
}
