// What needs attention, each with the page that shows its cause.
import { useSignal } from "@preact/signals";
import { appAddress, jobAddress, nodeAddress, pathname } from "../router";
import type { Attention } from "../types";
import { Button } from "./Button";
import { Card } from "./Card";
import { Foreign } from "./Foreign";
import { Shape } from "./State";
import { For } from "./Time";

const shownNeeds = 6; // the rest is a click away

// Needs lists what needs attention, the worst first. What the cluster left out
// of the list, more, is on the page that has all of it.
export function Needs({ list, more = 0 }: { list: Attention[]; more?: number }) {
  const all = useSignal(false);
  const nodes = list.some((a) => a.kind === "node" || a.kind === "router") && !list.some((a) => a.kind === "job");
  const folded = all.value ? 0 : Math.max(0, list.length - shownNeeds);
  return (
    <Card title="Needs attention" aside={<span class="muted num">{list.length + more}</span>}>
      <ul class="rows">
        {list.slice(0, list.length - folded).map((a) => <Need key={a.kind + (a.id ?? a.app ?? "") + a.text} need={a} />)}
        {folded > 0 && <li><Button kind="quiet" onClick={() => { all.value = true; }}>and {folded + more} more</Button></li>}
        {folded === 0 && more > 0 && <li><a class="grow" href={nodes ? "/nodes" : "/jobs?show=attention"}>and {more} more</a></li>}
      </ul>
    </Card>
  );
}

// addressOf is the page that shows the cause; "" where there is none.
function addressOf(need: Attention): string {
  if (need.kind === "job" && need.id) return jobAddress(need.id);
  if (need.app) return appAddress(need.app);
  if (need.node) return nodeAddress(need.node);
  return need.kind === "node" ? "/nodes" : "";
}

function Need({ need }: { need: Attention }) {
  const address = addressOf(need);
  const href = address === pathname.value ? "" : address;
  return (
    <li>
      <Shape state={need.state} />
      <span class="grow">{href ? <a href={href}><Foreign text={need.text} /></a> : <Foreign text={need.text} />}
        {need.since && <span class="muted since"> for <For since={need.since} /></span>}</span>
    </li>
  );
}
