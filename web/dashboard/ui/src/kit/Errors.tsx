import { percent } from "../format";
import { Shape } from "./State";

// Errors is the share of 5xx responses; from 1 % on it has a shape and a colour.
export function Errors({ ratio }: { ratio: number | null | undefined }) {
  const how = (ratio ?? 0) >= 0.05 ? "bad" : (ratio ?? 0) >= 0.01 ? "warn" : "";
  return <span class={`live state ${how}`}>{how && <Shape state={how} />}<span class="num">{percent(ratio)}</span></span>;
}
