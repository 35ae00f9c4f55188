import { useEffect } from "preact/hooks";
import { signal } from "@preact/signals";
import { may, path, post } from "../api";
import { brief, millis, rate } from "../format";
import { appAddress } from "../router";
import type { Accepted, AppDetail, Instance } from "../types";
import { Button } from "../kit/Button";
import { Card } from "../kit/Card";
import { Confirm } from "../kit/Dialog";
import { Empty } from "../kit/Empty";
import { Errors } from "../kit/Errors";
import { Foreign } from "../kit/Foreign";
import { State } from "../kit/State";
import { Table, type Column } from "../kit/Table";
import { Ago } from "../kit/Time";
import { started } from "../kit/Toast";
import { Scale } from "./Scale";

const replacing = signal<Instance | null>(null); // the one that is asked about

const columns: Column<Instance>[] = [
  { head: "Instance", cell: (i) => <span><b>{i.type}</b> <span class="mono muted">{brief(i.id)}</span></span> },
  { head: "State", cell: (i) => <How instance={i} /> },
  { head: "Release", cell: (i) => i.release },
  { head: "Address", kind: "mono", cell: (i) => i.address || "–" },
  { head: "Restarts", kind: "num", cell: (i) => i.restarts },
  { head: "Started", cell: (i) => <Ago at={i.started_at ?? i.created_at} /> },
  { head: "", kind: "end", bare: true, cell: (i) => <Acts instance={i} /> },
];

function Acts({ instance: i }: { instance: Instance }) {
  return (
    <span class="links">
      <a href={appAddress(i.app, "logs") + "?instance=" + i.id} aria-label={`Logs of ${i.type} ${brief(i.id)}`}>Logs</a>
      {may("developer") && i.state === "running" && <Button kind="quiet" label={`Replace ${i.type} ${brief(i.id)}`} onClick={() => { replacing.value = i; }}>Replace</Button>}
    </span>
  );
}

function How({ instance: i }: { instance: Instance }) {
  const state = i.crashing ? "crashing" : i.unheard ? "unheard" : i.state;
  return <span><State state={state} />{i.error && <span class="why"><Foreign text={i.error} /></span>}</span>;
}

const nodeOf = (i: Instance) => i.node || "no node yet";

// byNode keeps neighbours together, so that the spread is seen.
function byNode(list: Instance[]): Instance[] {
  const key = (i: Instance) => `${i.node}\n${i.type}\n${i.id}`;
  return [...list].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

export function AppNow({ detail }: { detail: AppDetail }) {
  const list = byNode(detail.instances ?? []);
  const nodes = new Set(list.map((i) => i.node)).size;
  const { rates, app } = detail;
  useEffect(() => () => { replacing.value = null; }, []);
  return (
    <>
      {(app.release || list.length > 0) && <dl class="figures live">
        <div><dt>Requests</dt><dd><b class="num">{rate(rates.requests_per_s)}</b> <span class="muted">{rates.requests_per_s === null ? "no traffic yet" : "a second"}</span></dd></div>
        <div><dt>Errors</dt><dd><b class="num"><Errors ratio={rates.error_ratio} /></b></dd></div>
        <div><dt>p95</dt><dd><b class="num">{millis(rates.p95_ms)}</b></dd></div>
        <div><dt>Instances</dt><dd><b class="num">{app.instances} of {app.wanted}</b> <span class="muted">on {nodes} {nodes === 1 ? "node" : "nodes"}</span></dd></div>
      </dl>}
      <Card title="Instances">
        {list.length > 0 ? <Table label="Instances, by node" columns={columns} rows={list} keyOf={(i) => i.id} groupOf={nodeOf} /> : <NoInstance detail={detail} />}
      </Card>
      {!!detail.formation?.length && <Scale detail={detail} />}
      {replacing.value?.app === app.name && <Replace instance={replacing.value} onClose={() => { replacing.value = null; }} />}
    </>
  );
}

function NoInstance({ detail: { app } }: { detail: AppDetail }) {
  if (!app.release) return <Empty title="Nothing was deployed yet." commands={[`git remote add aorta ${app.git_http}`, "git push aorta main", `aorta deploy -a ${app.name}`]}>From the folder of the program:</Empty>;
  if (app.stopped) return <Empty title="The app is stopped." commands={[`aorta ps restart -a ${app.name}`]}>Its formation is remembered; it starts again with:</Empty>;
  return <Empty title="No instance runs." commands={[`aorta ps scale web=1 -a ${app.name}`]} />;
}

function Replace({ instance, onClose }: { instance: Instance; onClose: () => void }) {
  const act = async () => started("Replace the instance", await post<Accepted>(path("apps", instance.app, "restart"), { instance: instance.id }));
  const says = <p>A new {instance.type} of {instance.release} starts first. When it is healthy and has the traffic, {brief(instance.id)} on {instance.node} stops. No request is lost.</p>;
  return <Confirm title={`Replace ${instance.type} ${brief(instance.id)}`} says={says} verb="Replace it" act={act} onClose={onClose} />;
}
