import { useEffect } from "preact/hooks";
import { signal } from "@preact/signals";
import { may, path, post } from "../api";
import { brief, count, percent, rate, took } from "../format";
import { overview } from "../live";
import { appAddress, nodeAddress } from "../router";
import type { Accepted, AppDetail, Instance } from "../types";
import { Button } from "../kit/Button";
import { Card } from "../kit/Card";
import { Confirm } from "../kit/Dialog";
import { Empty } from "../kit/Empty";
import { Errors } from "../kit/Errors";
import { FirstPush } from "../kit/FirstPush";
import { Foreign } from "../kit/Foreign";
import { instanceWord, State } from "../kit/State";
import { Table, type Column } from "../kit/Table";
import { Ago } from "../kit/Time";
import { started } from "../notice";
import { Memory, Processor } from "../kit/Use";
import { Scale } from "./Scale";

const replacing = signal<Instance | null>(null); // the instance to confirm

const columns: Column<Instance>[] = [
  { head: "Instance", cell: (i) => <span><b>{i.type}</b> <span class="mono muted">{brief(i.id)}</span></span> },
  { head: "State", cell: (i) => <StateCell instance={i} /> },
  { head: "Release", cell: (i) => i.release },
  { head: "Address", kind: "mono", cell: (i) => i.address || "–" },
  { head: "CPU", cell: (i) => <Processor of={i} /> },
  { head: "Memory", cell: (i) => <Memory of={i} /> },
  { head: "Restarts", kind: "num", cell: (i) => i.restarts },
  { head: "Started", cell: (i) => <Ago at={i.started_at ?? i.created_at} /> },
  { head: "", kind: "end", bare: true, cell: (i) => <Actions instance={i} /> },
];

function Actions({ instance: i }: { instance: Instance }) {
  return (
    <span class="links">
      <a href={appAddress(i.app, "logs") + "?instance=" + i.id} aria-label={`Logs of ${i.type} ${brief(i.id)}`}>Logs</a>
      {may("developer") && i.state === "running" && <Button kind="quiet" label={`Restart ${i.type} ${brief(i.id)}`} onClick={() => { replacing.value = i; }}>Restart</Button>}
    </span>
  );
}

function StateCell({ instance: i }: { instance: Instance }) {
  const state = i.crashing ? "crashing" : i.unheard ? "unheard" : i.state;
  return <span><State state={state} word={instanceWord(i)} />{i.error && <span class="why"><Foreign text={i.error} /></span>}</span>;
}

const nowhere = "no node yet";
const nodeOf = (i: Instance) => i.node || nowhere;

// NodeHead is the node of a group, with its state where that is not ready.
function NodeHead({ name }: { name: string }) {
  if (name === nowhere) return <>{name}</>;
  const state = overview.value?.nodes?.find((n) => n.name === name)?.state ?? "ready";
  return <><a class="plain" href={nodeAddress(name)}>{name}</a> {state !== "ready" && <State state={state} />}</>;
}

// byNode sorts by node, so that the distribution is visible.
function byNode(list: Instance[]): Instance[] {
  const key = (i: Instance) => `${i.node}\n${i.type}\n${i.id}`;
  return [...list].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

export function AppNow({ detail }: { detail: AppDetail }) {
  const list = byNode(detail.instances ?? []);
  const nodes = new Set(list.filter((i) => !instanceWord(i)).map((i) => i.node)).size;
  const crashing = list.filter((i) => i.crashing).length;
  const { rates, app } = detail;
  useEffect(() => () => { replacing.value = null; }, []);
  return (
    <>
      {(app.release || list.length > 0) && <dl class="figures live">
        <div><dt>Requests</dt><dd><b class="num">{rate(rates.requests_per_s)}</b> <span class="muted">{rates.requests_per_s === null ? "no traffic" : "per second"}</span></dd></div>
        <div><dt>Error rate</dt><dd><b class="num">{app.stopped ? percent(rates.error_ratio) : <Errors ratio={rates.error_ratio} />}</b> <span class="muted">5xx, last 10 s</span></dd></div>
        <div><dt>Response time</dt><dd><b class="num">{took(rates.p95_ms)}</b> <span class="muted">p95</span></dd></div>
        <div><dt>Instances</dt><dd><b class="num">{app.instances} of {app.wanted}</b> <span class="muted">{crashing ? `running, ${crashing} crashing` : app.wanted > 0 && `on ${count(nodes, "node")}`}</span></dd></div>
      </dl>}
      <Card title="Instances">
        {list.length > 0 ? <Table label="Instances, by node" columns={columns} rows={list} keyOf={(i) => i.id} groupOf={nodeOf} headOf={(name) => <NodeHead name={name} />} /> : <NoInstance detail={detail} />}
      </Card>
      {!!detail.formation?.length && <Scale detail={detail} />}
      {replacing.value?.app === app.name && <Replace instance={replacing.value} onClose={() => { replacing.value = null; }} />}
    </>
  );
}

function NoInstance({ detail: { app, formation } }: { detail: AppDetail }) {
  if (!app.release) return <FirstPush app={app} />;
  if (app.stopped) return <Empty title="The app is stopped." commands={[`aorta ps start -a ${app.name}`]}>Start it again, with the same scale as before:</Empty>;
  return <Empty title="No instances are running." commands={[`aorta ps scale ${formation[0]?.type ?? "web"}=1 -a ${app.name}`]} />;
}

function Replace({ instance, onClose }: { instance: Instance; onClose: () => void }) {
  const act = async () => started("Restart the instance", await post<Accepted>(path("apps", instance.app, "restart"), { instance: instance.id }));
  const says = <p>A new {instance.type} instance of {instance.release} starts first. Once it is healthy and gets the traffic, {brief(instance.id)} on {instance.node} is stopped. No request is lost.</p>;
  return <Confirm title={`Restart ${instance.type} ${brief(instance.id)}`} says={says} verb="Restart it" act={act} onClose={onClose} />;
}
