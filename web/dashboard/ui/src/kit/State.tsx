import type { Instance } from "../types";

// A state as a word, a shape and a colour; each is enough on its own.
interface Look { tone: "good" | "accent" | "warn" | "bad" | "muted"; shape: keyof typeof shapes; word?: string }

const shapes = {
  full: <circle cx="5" cy="5" r="4" fill="currentColor" />,
  quarter: <><circle cx="5" cy="5" r="3.5" fill="none" stroke="currentColor" /><path d="M5 5V1.5A3.5 3.5 0 0 1 8.5 5z" fill="currentColor" /></>,
  half: <><circle cx="5" cy="5" r="3.5" fill="none" stroke="currentColor" /><path d="M5 1.5a3.5 3.5 0 0 1 0 7z" fill="currentColor" /></>,
  ring: <circle cx="5" cy="5" r="3.5" fill="none" stroke="currentColor" stroke-width="1.5" />,
  triangle: <path d="M5 1l4.5 8h-9z" fill="currentColor" />,
  square: <rect x="1.5" y="1.5" width="7" height="7" fill="currentColor" />,
  line: <path d="M1.5 5h7" stroke="currentColor" stroke-width="1.5" />,
};

const good: Look = { tone: "good", shape: "full" };
const moving: Look = { tone: "accent", shape: "quarter" };
const quiet: Look = { tone: "muted", shape: "line" };
const bad: Look = { tone: "bad", shape: "square" };

const looks: Record<string, Look> = {
  running: good, serving: { ...good, word: "running" }, succeeded: good, ready: good, ok: good, on: good,
  starting: moving, pulling: { ...moving, word: "pulling image" }, assigned: { ...moving, word: "pending" }, deploying: moving, active: moving,
  draining: { tone: "muted", shape: "half" }, drained: { tone: "muted", shape: "half" },
  crashing: { tone: "warn", shape: "triangle" }, warn: { tone: "warn", shape: "triangle" },
  failed: bad, dead: bad, bad,
  unheard: { tone: "muted", shape: "ring", word: "node silent" }, suspect: { tone: "warn", shape: "ring" }, waiting: { tone: "muted", shape: "ring" },
  stopped: quiet, retired: quiet, aborted: { ...quiet, word: "cancelled" }, superseded: { ...quiet, word: "replaced" }, empty: { ...quiet, word: "not deployed yet" },
};

export function look(state: string): Look {
  return looks[state] ?? { tone: "muted", shape: "ring" };
}

export function Shape({ state }: { state: string }) {
  const { tone, shape } = look(state);
  return <svg class={`shape ${tone} ${shape === "quarter" ? "moving" : ""}`} viewBox="0 0 10 10" aria-hidden="true">{shapes[shape]}</svg>;
}

// stateText is the word for a state of the API.
export function stateText(state: string): string {
  return look(state).word ?? state;
}

// instanceWord is the word for an instance's state where the state's own says too
// little: its node may be dead, and not merely silent.
export const instanceWord = (i: Instance): string | undefined => (i.unheard && i.verdict.endsWith("node dead") ? "node dead" : undefined);

// State shows a state of the API; word replaces its name.
export function State({ state, word }: { state: string; word?: string | undefined }) {
  return <span class={`state ${look(state).tone}`}><Shape state={state} />{word ?? stateText(state)}</span>;
}
