import { badness, percent } from "../format";
import { Shape } from "./State";

// Errors is the share of 5xx responses, with the shape and colour of how bad that is.
export function Errors({ ratio }: { ratio: number | null | undefined }) {
  const how = badness(ratio);
  return <span class={`live state ${how}`}>{how && <Shape state={how} />}<span class="num">{percent(ratio)}</span></span>;
}
