// What an instance uses of what it may use.
import { bytes, cores } from "../format";
import type { Instance } from "../types";

export function Memory({ of: i }: { of: Instance }) {
  return <Use used={i.memory} limit={i.memory_limit} show={bytes} label="Memory" />;
}

export function Processor({ of: i }: { of: Instance }) {
  return <Use used={i.cpu} limit={i.cpus} show={cores} unit="CPU" label="CPU" />;
}

interface Props { used: number | null; limit: number; show: (n: number) => string; unit?: string; label: string }

// Use is a bar, and in words how much of how much.
function Use({ used, limit, show, unit, label }: Props) {
  if (used === null) return <span class="muted" title="Not measured yet">–</span>;
  const percent = limit > 0 ? Math.min(100, (used / limit) * 100) : 0;
  return (
    <span class="use live">
      <meter min={0} max={100} low={80} high={95} optimum={0} value={percent} aria-label={label} />
      <span class="num">{show(used)} <span class="muted">of {show(limit)}{unit && ` ${unit}`}</span></span>
    </span>
  );
}
