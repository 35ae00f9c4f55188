import { useEffect } from "preact/hooks";
import { useSignal, type Signal } from "@preact/signals";
import { get, may, messageOf, path, post } from "../api";
import { brief } from "../format";
import { useOlder } from "../older";
import type { Accepted, AppDetail, Release, RollbackPlan } from "../types";
import { Button } from "../kit/Button";
import { Card } from "../kit/Card";
import { Confirm } from "../kit/Dialog";
import { Empty, Trouble } from "../kit/Empty";
import { Foreign } from "../kit/Foreign";
import { State } from "../kit/State";
import { Ago } from "../kit/Time";
import { started } from "../notice";

const shownReleases = 20; // this many are live

const numberOf = (r: Release) => Number(r.release.slice(1));
const newestFirst = (a: Release, b: Release) => numberOf(b) - numberOf(a);

export function AppReleases({ detail }: { detail: AppDetail }) {
  const back = useSignal<Release | null>(null);
  const deploying = useSignal(false);
  const { app } = detail;
  const newest = detail.releases ?? [];
  const older = useOlder(newest, newestFirst);
  const list = older.rows;
  const more = older.asked ? !older.end : newest.length >= shownReleases;
  const load = () => older.more(path("apps", app.name, "releases"), newest.at(-1)?.release ?? "");
  return (
    <>
      <Card title="Releases" aside={may("developer") && <Button onClick={() => { deploying.value = true; }}>Deploy an image</Button>}>
        {list.length === 0 && <Empty title="No releases yet." commands={["git push aorta main", `aorta deploy -a ${app.name}`]} />}
        <ul class="rows releases">
          {list.map((r) => <One key={r.id} release={r} serving={app.release} back={() => { back.value = r; }} />)}
        </ul>
        {more && <p><Button onClick={load}>Older releases</Button></p>}
      </Card>
      {back.value && <Back app={app.name} to={back.value} onClose={() => { back.value = null; }} />}
      {deploying.value && <Deploy app={app.name} onClose={() => { deploying.value = false; }} />}
    </>
  );
}

function One({ release: r, serving, back }: { release: Release; serving: string; back: () => void }) {
  const older = numberOf(r) < Number(serving.slice(1));
  return (
    <li>
      <b class="label">{r.release}</b>
      <span class="how"><StateCell release={r} serves={r.release === serving} />{r.traffic > 0 && <span class="share"><meter min={0} max={100} value={r.traffic} aria-label={`Share of traffic of ${r.release}`} /><span class="num">{Math.round(r.traffic * 10) / 10} %</span></span>}</span>
      <span class="grow">
        <span class="message"><Foreign text={r.message || "no message"} /></span><br />
        <span class="muted">{by(r)} · <Ago at={r.created_at} />{r.commit ? <> · <code title={r.commit}>{r.commit.slice(0, 7)}</code></> : ""}{fromElsewhere(r) && <> · <code title={r.image}>{image(r.image)}</code></>}</span>
        {r.error && <span class="why bad"><Foreign text={r.error} /></span>}
      </span>
      {may("developer") && older && r.state !== "failed" && <Button onClick={back} label={`Roll back to ${r.release}`}>Roll back</Button>}
    </li>
  );
}

// by names who wrote what is released and, if it is somebody else, who released it.
function by(r: Release): string {
  const user = r.user || "Aorta";
  return r.author && r.author !== user ? `${r.author}, deployed by ${user}` : user;
}

// fromElsewhere says that the image was not built here: its name then tells something.
const fromElsewhere = (r: Release) => !r.commit && !r.image.startsWith("aorta/");

// StateCell distinguishes the serving release from one that has an image but no traffic yet.
function StateCell({ release: { state }, serves }: { release: Release; serves: boolean }) {
  if (serves) return <State state="serving" word="serving" />;
  return state === "ready" ? <State state="waiting" word="ready" /> : <State state={state} />;
}

// image shortens a reference to its last part.
function image(ref: string): string {
  const name = ref.slice(ref.lastIndexOf("/") + 1);
  return name.length > 40 ? name.slice(0, 24) + "…" + brief(name) : name;
}

// Back shows what a rollback changes before it is asked for.
function Back({ app, to, onClose }: { app: string; to: Release; onClose: () => void }) {
  const plan = useSignal<RollbackPlan | null>(null);
  const error = useSignal("");
  const codeOnly = useSignal(false);
  const load = async () => {
    try {
      plan.value = await get<RollbackPlan>(`${path("apps", app, "rollback")}?release=${to.release}`);
      error.value = "";
    } catch (err) {
      error.value = messageOf(err);
    }
  };
  useEffect(() => { void load(); }, [app, to.release]);
  const act = async () => started(`Roll back to ${to.release}`, await post<Accepted>(path("apps", app, "rollback"), { release: to.release, code_only: codeOnly.value }));
  const says = (
    <>
      <p>This creates a new release from {to.release} as it was: its image, process types and config vars.</p>
      {error.value && <Trouble text={error.value} retry={load} />}
      {plan.value && <Changes plan={plan.value} codeOnly={codeOnly} />}
    </>
  );
  return <Confirm title={`Roll ${app} back to ${to.release}`} says={says} verb="Roll back" act={act} onClose={onClose} />;
}

function Changes({ plan: p, codeOnly }: { plan: RollbackPlan; codeOnly: Signal<boolean> }) {
  const vars = p.set.length + p.unset.length;
  return (
    <>
      {vars === 0 && <p>No config var changes.</p>}
      {p.set.length > 0 && <p>Set as it was then: <Names list={p.set} /></p>}
      {p.unset.length > 0 && <p>Unset: <Names list={p.unset} /></p>}
      {vars > 0 && <label class="check"><input type="checkbox" checked={codeOnly.value} onChange={(e) => { codeOnly.value = e.currentTarget.checked; }} /> Leave the config vars as they are</label>}
      <p>New instances start next to the {p.instances} of {p.from || "the current release"}. Once they are healthy, all traffic moves to them and the old ones are stopped. No request is lost.</p>
    </>
  );
}

function Names({ list }: { list: string[] }) {
  return <>{list.map((name, i) => <span key={name}>{i > 0 && ", "}<code>{name}</code></span>)}</>;
}

function Deploy({ app, onClose }: { app: string; onClose: () => void }) {
  const image = useSignal("");
  const act = async () => started("Deploy", await post<Accepted>(path("apps", app, "deploys"), { image: image.value.trim() }));
  const says = (
    <label class="field">Image
      <input class="mono" value={image.value} onInput={(e) => { image.value = e.currentTarget.value; }} required placeholder="registry.example.com/shop:1.4" autocomplete="off" autocapitalize="off" spellcheck={false} autofocus />
      <span class="muted">It becomes the next release and gets the traffic once its instances are healthy.</span>
    </label>
  );
  return <Confirm title={`Deploy an image to ${app}`} says={says} verb="Deploy it" act={act} onClose={onClose} />;
}
