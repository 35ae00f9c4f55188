// Lines of output, the newest last. Only visible lines are in the document, so that
// ten thousand scroll as well as ten.
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { exact, moment } from "../format";
import type { Shown } from "../logstore";
import { LogText } from "./LogText";
import { plain } from "./ansi";
import { Copy } from "./Copy";
import { Dialog } from "./Dialog";
import { Rows } from "./rows";

interface Props { lines: Shown[]; search: string; label: string; empty: ComponentChildren; tall?: boolean; only?: (instance: string) => void }

const row = 20;     // px; fixed, so that positions need no measuring
const beyond = 20;  // rows above and below the visible ones
const narrow = matchMedia("(max-width: 699px)"); // there lines wrap

// columnsOf is how many characters fit into a narrow log; 0 where lines don't wrap.
function columnsOf(box: HTMLElement): number {
  if (!narrow.matches) return 0;
  const ink = document.createElement("canvas").getContext("2d");
  if (!ink) return 0;
  ink.font = `12px ${getComputedStyle(box).getPropertyValue("--mono")}`;
  return Math.max(20, Math.floor((box.clientWidth - 16) / (ink.measureText("0".repeat(100)).width / 100)));
}

export function LogView({ lines, search, label, empty, tall, only }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const top = useSignal(0);
  const seen = useSignal(400);
  const following = useSignal(true);
  const leftAt = useRef(0); // the newest line when following stopped
  const opened = useSignal<Shown | null>(null);
  const columns = useSignal(0);
  const rows = useMemo(() => new Rows(lines.map((l) => l.width), columns.value), [lines, columns.value]);
  const at = useSignal(-1); // key of the line that the arrow keys are on

  useLayoutEffect(() => {
    const b = box.current;
    if (b && following.value) b.scrollTop = b.scrollHeight;
  }, [rows, following.value]);
  useEffect(() => {
    const b = box.current;
    if (!b) return undefined;
    const watch = new ResizeObserver(() => { seen.value = b.clientHeight; columns.value = columnsOf(b); });
    watch.observe(b);
    return () => watch.disconnect();
  }, []);

  const scrolled = () => {
    const b = box.current!;
    top.value = b.scrollTop;
    const atFoot = b.scrollTop + b.clientHeight >= b.scrollHeight - row;
    if (!atFoot && following.value) leftAt.current = lines.at(-1)?.key ?? 0;
    following.value = atFoot;
  };
  const pressed = (e: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
    const i = lines.findIndex((l) => l.key === at.value);
    if (e.key === "Enter" && lines[i]) {
      e.preventDefault(); // otherwise the same press may close what it opens
      opened.value = lines[i];
    }
    if (e.key === "Escape") at.value = -1;
    const b = box.current;
    if (!step || !b || lines.length === 0) return;
    e.preventDefault();
    const to = i < 0 ? rows.at((b.scrollTop + b.clientHeight) / row - 1) : Math.min(lines.length - 1, Math.max(0, i + step));
    at.value = lines[to]?.key ?? -1;
    const [from, end] = [rows.top(to) * row, rows.top(to + 1) * row];
    if (from < b.scrollTop) b.scrollTop = from;
    else if (end > b.scrollTop + b.clientHeight) b.scrollTop = end - b.clientHeight;
  };
  const first = rows.at(top.value / row - beyond);
  const last = Math.min(lines.length, rows.at((top.value + seen.value) / row + beyond) + 1);
  const newer = following.value ? 0 : (lines.at(-1)?.key ?? 0) - leftAt.current;
  return (
    <div class={`log ${tall ? "tall" : ""} ${columns.value ? "wrapped" : ""}`}>
      <div ref={box} class="lines" role="log" aria-label={label} aria-live="off" aria-description="Arrow keys choose a line, Enter opens it" tabIndex={0} onScroll={scrolled} onKeyDown={pressed}>
        {lines.length === 0 ? empty : (
          <div class="whole" style={{ height: rows.total() * row + "px" }}>
            <div class="window" style={{ transform: `translateY(${rows.top(first) * row}px)` }}>
              {lines.slice(first, last).map((l, i) => <Line key={l.key} line={l} columns={columns.value} rows={rows.height(first + i)} search={search} at={l.key === at.value} open={() => { opened.value = l; }} />)}
            </div>
          </div>
        )}
      </div>
      {!following.value && lines.length > 0 && (
        <button type="button" class="newer" onClick={() => { following.value = true; }}>{newer > 0 ? `${newer} new line${newer === 1 ? "" : "s"} ↓` : "Jump to the newest ↓"}</button>
      )}
      {opened.value && <Whole line={opened.value} only={only} onClose={() => { opened.value = null; }} />}
    </div>
  );
}

interface LineProps { line: Shown; columns: number; rows: number; search: string; at: boolean; open: () => void }

function Line({ line, columns, rows, search, at, open }: LineProps) {
  const size = columns ? { height: rows * row + "px", width: columns + "ch" } : undefined;
  if (line.missed) return <div class="logline muted" style={size}>… {line.missed} lines skipped; use the search to find them</div>;
  const time = moment(line.time);
  return (
    <div class={`logline ${line.stream === "stderr" ? "err" : ""} ${at ? "at" : ""}`} style={size} onClick={() => { if (!getSelection()?.toString()) open(); }}>
      <time class="muted" title={exact(line.time)}>{columns ? time.slice(0, 8) + " " : time}</time>
      <span class="muted from">{line.from}</span>
      <span class="text"><LogText text={line.text} search={search} /></span>
    </div>
  );
}

function Whole({ line, only, onClose }: { line: Shown; only: Props["only"] | undefined; onClose: () => void }) {
  const { instance } = line;
  return (
    <Dialog title="Log line" onClose={onClose} look="wide">
      <p class="muted">{exact(line.time)} · {line.from}{line.more ? ` · ${line.more}` : ""}{line.stream ? ` · ${line.stream}` : ""}</p>
      <pre class="whole-line">{plain(line.text)}</pre>
      <div class="actions">{only && instance && <button type="button" class="button" onClick={() => { onClose(); only(instance); }}>Only this instance</button>}<Copy text={plain(line.text)} label="Copy the line" /></div>
    </Dialog>
  );
}
