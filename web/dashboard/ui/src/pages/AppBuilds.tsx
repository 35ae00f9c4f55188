// An app's builds. They are loaded, not streamed: again when a job of the app begins
// or ends.
import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { get, messageOf, path } from "../api";
import { count, span, volume } from "../format";
import { appAddress, jobAddress } from "../router";
import type { AppDetail, Build, Page } from "../types";
import { Button } from "../kit/Button";
import { Card } from "../kit/Card";
import { Empty, Trouble, Wait } from "../kit/Empty";
import { Foreign } from "../kit/Foreign";
import { State } from "../kit/State";
import { Table, type Column } from "../kit/Table";
import { Ago, Duration } from "../kit/Time";

const columns: Column<Build>[] = [
  { head: "Build of", cell: (b) => <Source build={b} /> },
  { head: "State", cell: (b) => <span><State state={b.state === "running" ? "active" : b.state} word={b.state === "running" ? "running" : undefined} />{b.error && <span class="why clip"><Foreign text={b.error} /></span>}</span> },
  { head: "From cache", kind: "num", cell: (b) => (b.steps ? `${b.cached} of ${count(b.steps, "step")}` : "–") },
  { head: "Image", kind: "num", cell: (b) => (b.size ? volume(b.size) : "–") },
  { head: "Took", kind: "num", cell: (b) => (b.duration_s ? span(b.duration_s * 1000) : b.state === "running" ? <Duration from={b.created_at} to={undefined} /> : "–") },
  { head: "Created", cell: (b) => <Ago at={b.created_at} /> },
  { head: "Release", kind: "end", cell: (b) => (b.release ? <a class="plain" href={appAddress(b.app, "releases")}>{b.release}</a> : "–") },
];

function Source({ build: b }: { build: Build }) {
  const name = b.kind === "commit" ? b.source.slice(0, 7) : b.kind === "archive" ? "archive" : b.source;
  return (
    <span>
      <a class="name" href={jobAddress(b.id)}><code title={b.source}><Foreign text={name} /></code></a> <span class="muted">by {b.user || "Aorta"}</span>
      {b.message && <span class="why clip"><Foreign text={b.message} /></span>}
    </span>
  );
}

export function AppBuilds({ detail }: { detail: AppDetail }) {
  const { app } = detail;
  const list = useSignal<Build[] | null>(null);
  const next = useSignal("");
  const error = useSignal("");
  const load = async (cursor: string) => {
    const page = await get<Page<Build>>(path("apps", app.name, "builds") + "?limit=50" + (cursor && "&cursor=" + cursor));
    list.value = [...(cursor ? list.value ?? [] : []), ...page.items];
    next.value = page.next ?? "";
    error.value = "";
  };
  const first = () => load("").catch((err: unknown) => { error.value = messageOf(err); });
  useEffect(() => { void first(); }, [app.id, detail.operation?.id, detail.releases?.[0]?.id]);
  return (
    <Card title="Builds">
      {error.value && <Trouble text={error.value} retry={first} />}
      {!list.value && !error.value && <Wait />}
      {list.value?.length === 0 && <Empty title="No builds yet." commands={["git push aorta main", `aorta deploy -a ${app.name}`]} />}
      {!!list.value?.length && <Table label="Builds" columns={columns} rows={list.value} keyOf={(b) => b.build} />}
      {next.value && <p><Button onClick={() => load(next.value)}>Older builds</Button></p>}
    </Card>
  );
}
