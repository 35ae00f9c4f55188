// What a person does to a node, each asked with what it changes.
import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { get, may, messageOf, path, post } from "../api";
import { brief, count, names } from "../format";
import type { Accepted, Node, NodeDetail, Plan } from "../types";
import { Button } from "../kit/Button";
import { Confirm } from "../kit/Dialog";
import { Trouble, Wait } from "../kit/Empty";
import { Foreign } from "../kit/Foreign";
import { notice, started } from "../notice";

type Asked = "" | "drain" | "undrain" | "declare-dead";

// NodeActions are the buttons that fit the node's state.
export function NodeActions({ node }: { node: NodeDetail }) {
  const asked = useSignal<Asked>("");
  if (!may("admin") || !(node.roles ?? []).includes("heart")) return null;
  const ask = (what: Asked) => () => { asked.value = what; };
  const close = ask("");
  const mayDrain = node.draining || node.state !== "dead";
  const mayBeLost = node.state === "suspect" && !node.roles.includes("pacemaker");
  if (!mayDrain && !asked.value) return null;
  return (
    <span class="acts">
      {mayDrain && <Button onClick={ask(node.draining ? "undrain" : "drain")}>{node.draining ? "Undrain" : "Drain"}</Button>}
      {mayBeLost && <Button kind="danger" onClick={ask("declare-dead")}>Declare dead</Button>}
      {asked.value === "drain" && <Drain node={node} onClose={close} />}
      {asked.value === "undrain" && <Undrain node={node} onClose={close} />}
      {asked.value === "declare-dead" && <DeclareDead node={node} onClose={close} />}
    </span>
  );
}

interface Question { node: NodeDetail; onClose: () => void }

// usePlan loads where the node's instances would go.
function usePlan(name: string) {
  const plan = useSignal<Plan | null>(null);
  const error = useSignal("");
  useEffect(() => {
    get<Plan>(path("nodes", name, "drain", "plan")).then((p) => { plan.value = p; }, (err) => { error.value = messageOf(err); });
  }, [name]);
  return { plan: plan.value, error: error.value };
}

function Drain({ node: { name }, onClose }: Question) {
  const { plan, error } = usePlan(name);
  const act = async () => started(`Drain ${name}`, await post<Accepted>(path("nodes", name, "drain")));
  const says = (
    <>
      <p>Nothing new starts on {name} until it is undrained. What runs there moves, one instance of each app at a time: the new one serves before the old one is stopped, so no request is lost.</p>
      <Moves plan={plan} error={error} none={`Nothing runs on ${name}: it is drained at once.`} />
      {plan?.last && <p class="warn"><b>No other node takes instances: until one does, deploys, restarts and changes of all apps fail.</b></p>}
    </>
  );
  return <Confirm title={`Drain ${name}`} says={says} verb="Drain" wait={!plan && !error} act={act} onClose={onClose} />;
}

function DeclareDead({ node: { name }, onClose }: Question) {
  const { plan, error } = usePlan(name);
  const act = async () => { await post<Node>(path("nodes", name, "declare-dead")); notice({ text: `${name} counts as dead.` }); };
  const says = (
    <>
      <p>What ran on {name} starts on other nodes at once, though it may still run there. Once {name} reports again, it is used again, and what there is twice is stopped.</p>
      <Moves plan={plan} error={error} none={`Nothing ran on ${name}.`} />
    </>
  );
  return <Confirm title={`Declare ${name} dead`} says={says} verb="Declare dead" danger wait={!plan && !error} act={act} onClose={onClose} />;
}

function Undrain({ node: { name, drain }, onClose }: Question) {
  const act = async () => { await post<Node>(path("nodes", name, "undrain")); notice({ text: `${name} takes instances again.` }); };
  const says = <p>{drain && "Its drain is cancelled. "}Instances may start on {name} again: those of which it has fewer than other nodes move there, one by one.</p>;
  return <Confirm title={`Undrain ${name}`} says={says} verb="Undrain" act={act} onClose={onClose} />;
}

interface Move { app: string; name: string; to: string }

// movesOf pairs what a plan starts with what it stops in its place.
export function movesOf({ steps }: Plan): Move[] {
  return steps.flatMap((s, i) => (s.action === "stop" ? [{ app: s.app, name: `${s.type}.${brief(s.instance ?? "")}`, to: steps[i - 1]?.node ?? "" }] : []));
}

// targets says how many go to each node.
export function targets(moves: Move[]): string {
  const counts = new Map<string, number>();
  for (const m of moves) counts.set(m.to, (counts.get(m.to) ?? 0) + 1);
  return names([...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([to, n]) => `${n} to ${to}`));
}

const mostMoves = 8;

// Moves shows where instances would go, and first what finds no room.
function Moves({ plan, error, none }: { plan: Plan | null; error: string; none: string }) {
  if (error) return <Trouble text={`Where its instances would go is not known. ${error}`} />;
  if (!plan) return <Wait rows={3} />;
  const moves = movesOf(plan);
  if (moves.length + plan.missing.length === 0) return <p><b>{none}</b></p>;
  return (
    <>
      {plan.missing.map((m) => (
        <p key={m.app + m.type} class="warn"><b>{m.count} {m.type} of {m.app} {m.count === 1 ? "finds" : "find"} no other node:</b> <Foreign text={m.reason} /></p>
      ))}
      {moves.length > 0 && <p><b>{count(moves.length, "instance")} {moves.length === 1 ? "moves" : "move"}:</b> {targets(moves)}.</p>}
      <ul class="moves">
        {moves.slice(0, mostMoves).map((m) => <li key={m.name}><span class="mono">{m.name}</span> of {m.app} → <b>{m.to}</b></li>)}
        {moves.length > mostMoves && <li class="muted">and {moves.length - mostMoves} more</li>}
      </ul>
    </>
  );
}
