// The drawing library, in a file of its own that is loaded on demand.
import uPlot from "uplot";
import { clock } from "../format";
import type { Mark } from "../types";
import { place } from "./marks";

const near = 8; // px between the cursor and a mark that it shows

// plot draws into a box, follows its width, and returns a function that ends it.
// pointed hears which step the cursor is on; -1 for none.
export function plot(box: HTMLElement, options: uPlot.Options, data: uPlot.AlignedData, marks: Mark[], pointed: (step: number) => void): () => void {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue("--" + name).trim();
  const ink = { line: colour("muted"), text: colour("text"), ground: colour("surface") };
  const sorted = [...marks].sort((a, b) => a.t - b.t);
  const tip = document.createElement("span");
  tip.className = "tip";
  tip.hidden = true;
  const hooks = {
    draw: [(u: uPlot) => deploys(u, sorted, ink)],
    ready: [(u: uPlot) => { u.over.append(tip); }],
    setCursor: [(u: uPlot) => hover(u, sorted, tip), (u: uPlot) => pointed(u.cursor.idx ?? -1)],
  };
  const chart = new uPlot({ ...options, width: box.clientWidth || options.width, hooks }, data, box);
  const watch = new ResizeObserver(() => chart.setSize({ width: box.clientWidth, height: options.height }));
  watch.observe(box);
  return () => {
    watch.disconnect();
    chart.destroy();
  };
}

interface Ink { line: string; text: string; ground: string }

// deploys draws each release as a vertical line, with labels where they fit.
function deploys(u: uPlot, marks: Mark[], ink: Ink): void {
  const { ctx, bbox } = u;
  const dpr = devicePixelRatio;
  const right = bbox.left + bbox.width;
  const at = (m: Mark) => Math.round(u.valToPos(m.t, "x", true));
  const seen = marks.filter((m) => at(m) >= bbox.left && at(m) <= right);
  ctx.save();
  ctx.strokeStyle = ink.line;
  ctx.lineWidth = dpr;
  ctx.font = `${12 * dpr}px system-ui`;
  ctx.textAlign = "left";
  ctx.setLineDash([4 * dpr, 4 * dpr]);
  ctx.beginPath();
  for (const m of seen) {
    ctx.moveTo(at(m), bbox.top);
    ctx.lineTo(at(m), bbox.top + bbox.height);
  }
  ctx.stroke();
  const gap = 4 * dpr;
  for (const l of place(seen.map((m) => m.release), seen.map(at), right, (text) => ctx.measureText(text).width + 2 * gap)) {
    ctx.fillStyle = ink.ground; // so that nothing below crosses the text
    ctx.fillRect(l.x + gap / 2, bbox.top, ctx.measureText(l.text).width + gap, 15 * dpr);
    ctx.fillStyle = ink.text;
    ctx.fillText(l.text, l.x + gap, bbox.top + 12 * dpr);
  }
  ctx.restore();
}

// hover names the release under the cursor.
function hover(u: uPlot, marks: Mark[], tip: HTMLElement): void {
  const x = u.cursor.left ?? -1;
  const hit = marks.filter((m) => x >= 0 && Math.abs(u.valToPos(m.t, "x") - x) <= near);
  tip.hidden = hit.length === 0;
  if (tip.hidden) return;
  tip.textContent = hit.map((m) => `${m.release} at ${clock(new Date(m.t * 1000))}`).join(", ");
  const place = Math.min(Math.max(0, x + 12), Math.max(0, u.over.clientWidth - tip.offsetWidth));
  tip.style.transform = `translateX(${place}px)`;
}
