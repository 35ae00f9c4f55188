// The drawing library, in a file of its own that is loaded late.
import uPlot from "uplot";
import type { Mark } from "../types";

// plot draws into a box, follows its width, and returns what ends it.
export function plot(box: HTMLElement, options: uPlot.Options, data: uPlot.AlignedData, marks: Mark[]): () => void {
  const style = getComputedStyle(document.documentElement);
  const ink = { line: style.getPropertyValue("--muted").trim(), text: style.getPropertyValue("--text").trim() };
  const chart = new uPlot({ ...options, width: box.clientWidth || options.width, hooks: { draw: [(u) => deploys(u, marks, ink)] } }, data, box);
  const watch = new ResizeObserver(() => chart.setSize({ width: box.clientWidth, height: options.height }));
  watch.observe(box);
  return () => {
    watch.disconnect();
    chart.destroy();
  };
}

// deploys draws each release as an upright line with its label.
function deploys(u: uPlot, marks: Mark[], ink: { line: string; text: string }): void {
  const { ctx, bbox } = u;
  ctx.save();
  ctx.strokeStyle = ink.line;
  ctx.fillStyle = ink.text;
  ctx.lineWidth = devicePixelRatio;
  ctx.font = `${12 * devicePixelRatio}px system-ui`;
  ctx.textAlign = "left";
  ctx.setLineDash([4, 4]);
  for (const m of marks) {
    const x = Math.round(u.valToPos(m.t, "x", true));
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.fillText(m.release, x + 4 * devicePixelRatio, bbox.top + 12 * devicePixelRatio);
  }
  ctx.restore();
}
