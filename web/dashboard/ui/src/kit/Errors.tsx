import { percent } from "../format";
import { Shape } from "./State";

// Errors is the share of answers that were 5xx; one that is not small has a
// shape and a colour too.
export function Errors({ ratio }: { ratio: number | null | undefined }) {
  const how = (ratio ?? 0) >= 0.05 ? "bad" : (ratio ?? 0) >= 0.01 ? "warn" : "";
  return <span class={`live state ${how}`}>{how && <Shape state={how} />}<span class="num">{percent(ratio)}</span></span>;
}
