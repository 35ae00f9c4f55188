import { count } from "../format";
import { detail, gone } from "../live";
import { appAddress, jobAddress, target } from "../router";
import type { AppDetail } from "../types";
import { Foot } from "../kit/Copy";
import { Empty, Wait } from "../kit/Empty";
import { Line } from "../kit/Line";
import { Tabs } from "../kit/Tabs";
import { AppConfig } from "./AppConfig";
import { AppDomains } from "./AppDomains";
import { AppGraphs } from "./AppGraphs";
import { AppLogs } from "./AppLogs";
import { AppNow } from "./AppNow";
import { AppReleases } from "./AppReleases";
import { AppSettings } from "./AppSettings";
import { NotFound } from "./NotFound";

const tabs = [
  { id: "", name: "Now", show: AppNow, command: "ps" },
  { id: "releases", name: "Releases", show: AppReleases, command: "releases" },
  { id: "graphs", name: "Graphs", show: AppGraphs, command: "stats" },
  { id: "logs", name: "Logs", show: AppLogs, command: "logs -f" },
  { id: "config", name: "Config", show: AppConfig, command: "config" },
  { id: "domains", name: "Domains", show: AppDomains, command: "domains" },
  { id: "settings", name: "Settings", show: AppSettings, command: "apps info" },
];

// words say how an app is: what is worst comes first.
export function words(d: AppDetail): { state: string; text: string; since?: string | undefined } {
  const { app } = d;
  const serving = (d.releases ?? []).find((r) => r.release === app.release);
  const troubled = (d.instances ?? []).filter((i) => i.crashing || i.state === "failed").length;
  if (!app.release) return { state: "empty", text: d.operation ? `The first deploy runs: ${d.operation.title}.` : "No release yet." };
  if (app.stopped) return { state: "stopped", text: `Stopped at ${app.release}; its addresses answer 503.` };
  const missing = app.instances < app.wanted;
  const how = `${app.release} serves with ${missing ? `${app.instances} of ${app.wanted} instances` : count(app.instances, "instance")}`;
  const tail = d.operation ? `. ${d.operation.title} runs.` : troubled ? `; ${troubled} in trouble.` : ".";
  if (app.instances === 0 && app.wanted > 0) return { state: "bad", text: `${app.release} has no running instance of ${app.wanted}${tail}` };
  if (d.operation) return { state: "deploying", text: how + tail };
  return { state: missing || troubled ? "warn" : "serving", text: how + tail, since: serving?.created_at };
}

export function App() {
  const { name, tab } = target.value;
  const d = detail.value;
  const at = tabs.find((t) => t.id === tab);
  if (gone.value === name) return <Gone name={name} />;
  if (!at) return <NotFound />;
  if (d?.app.name !== name) return <><h1>{name}</h1><Wait rows={6} /></>;
  const says = words(d);
  const Show = at.show;
  return (
    <>
      <Line title={name} state={says.state} text={says.text} since={says.since} aside={
        <span class="links">
          {d.operation && <a href={jobAddress(d.operation.id)}>Watch the job</a>}
          {app(d.app.url) && <a href={app(d.app.url)} target="_blank" rel="noreferrer noopener">Open the app ↗</a>}
        </span>}
      />
      <Tabs tabs={tabs} at={at.id} address={(id) => appAddress(name, id)} label={`Parts of ${name}`} />
      <Show key={name} detail={d} />
      <Foot text={`aorta ${at.command} -a ${name}`} />
    </>
  );
}

// app lets only web addresses through.
const app = (url: string): string | undefined => (/^https?:\/\//.test(url) ? url : undefined);

function Gone({ name }: { name: string }) {
  return (
    <>
      <Line title={name} state="stopped" text={`There is no app ${name}.`} />
      <Empty title="It was destroyed, renamed, or never made." commands={["aorta apps"]}><a href="/apps">All apps</a></Empty>
    </>
  );
}
