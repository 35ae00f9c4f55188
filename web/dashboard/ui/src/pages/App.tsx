import { count, quoted } from "../format";
import { detail, gone, overview } from "../live";
import { appAddress, jobAddress, query, target } from "../router";
import type { AppDetail, Attention } from "../types";
import { Foot } from "../kit/Copy";
import { Empty } from "../kit/Empty";
import { firstLine } from "../kit/Foreign";
import { Line } from "../kit/Line";
import { Skeleton } from "../kit/Skeleton";
import { Tabs } from "../kit/Tabs";
import { AppBuilds } from "./AppBuilds";
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
  { id: "builds", name: "Builds", show: AppBuilds, command: "builds" },
  { id: "graphs", name: "Graphs", show: AppGraphs, command: "stats" },
  { id: "logs", name: "Logs", show: AppLogs, command: "logs -f" },
  { id: "config", name: "Config", show: AppConfig, command: "config" },
  { id: "domains", name: "Domains", show: AppDomains, command: "domains" },
  { id: "settings", name: "Settings", show: AppSettings, command: "apps info" },
];

interface Says { state: string; text: string; since?: string | undefined }

// words describe an app's state, the worst first. Trouble is its newest failed job
// that needs attention.
export function words(d: AppDetail, trouble: Attention | undefined): Says {
  const { app } = d;
  const failed = trouble ? ` ${ended(firstLine(trouble.text))}` : "";
  if (!app.release) {
    if (d.operation) return { state: "deploying", text: `First deploy: ${d.operation.title}.` };
    return trouble ? { state: "bad", text: failed.trim(), since: trouble.since } : { state: "empty", text: "Not deployed yet." };
  }
  if (app.stopped) return { state: "stopped", text: `Stopped (${app.release}); requests get 503.${failed}` };
  const says = serving(d);
  if (d.operation) return { ...says, state: says.state === "bad" ? "bad" : "deploying", text: `${says.text} Running: ${d.operation.title}.` };
  return trouble ? { ...says, state: says.state === "bad" ? "bad" : "warn", text: says.text + failed } : says;
}

// serving is the verdict where something is wrong, else how many run.
function serving({ app, instances, releases }: AppDetail): Says {
  if (app.severity !== "ok") return { state: app.severity, text: `${app.release}${app.verdict.startsWith("does not") ? "" : ":"} ${ended(app.verdict)}` };
  const silent = (instances ?? []).filter((i) => i.unheard && i.state === "running").length;
  if (app.wanted === 0) return { state: "stopped", text: `${app.release} is ${ended(app.verdict)}` };
  const how = `${app.release} is running with ${app.instances < app.wanted ? `${app.instances} of ${app.wanted} instances` : count(app.instances, "instance")}`;
  if (silent) return { state: "warn", text: `${how}, ${silent} of them on a silent node.` };
  if (app.url && app.state === "running") return { state: "stopped", text: `${how}, requests get 503: ${ended(app.verdict)}` };
  return { state: "serving", text: how + ".", since: (releases ?? []).find((r) => r.release === app.release)?.created_at };
}

const ended = (text: string) => (/[.!?]$/.test(text) ? text : text + ".");

export function App() {
  const { name, tab } = target.value;
  const d = detail.value;
  const at = tabs.find((t) => t.id === tab);
  if (gone.value === "app:" + name) return <Gone name={name} />;
  if (!at) return <NotFound />;
  if (d?.app.name !== name) return <Skeleton title={name} rows={16} />;
  const trouble = overview.value?.attention?.find((a) => a.kind === "job" && a.app === name);
  const says = words(d, trouble);
  const Show = at.show;
  return (
    <>
      <Line title={name} state={says.state} text={says.text} since={says.since} aside={
        <span class="links">
          {d.operation && <a href={jobAddress(d.operation.id)}>Watch the job</a>}
          {!d.operation && trouble?.id && <a href={jobAddress(trouble.id)}>See what failed</a>}
          {d.app.release && app(d.app.url) && <a href={app(d.app.url)} target="_blank" rel="noreferrer noopener">Open the app ↗</a>}
        </span>}
      />
      <Tabs tabs={tabs} at={at.id} address={(id) => appAddress(name, id)} label={`Parts of ${name}`} />
      <Show key={name} detail={d} />
      <Foot text={`aorta ${at.command}${at.id === "logs" ? chosen(query.value) : ""} -a ${name}`} />
    </>
  );
}

// chosen are the command's flags for the filters in a log's URL.
function chosen(q: URLSearchParams): string {
  const flags = [["q", "--search"], ["type", "-p"], ["instance", "-i"]] as const;
  return flags.map(([key, flag]) => (q.get(key) ? ` ${flag} ${quoted(q.get(key)!)}` : "")).join("");
}

// app accepts http and https URLs only.
const app = (url: string): string | undefined => (/^https?:\/\//.test(url) ? url : undefined);

function Gone({ name }: { name: string }) {
  return (
    <>
      <Line title={name} state="stopped" text={`There is no app ${name}.`} />
      <Empty title="It was destroyed or renamed, or it never existed." commands={["aorta apps"]}><a href="/apps">All apps</a></Empty>
    </>
  );
}
