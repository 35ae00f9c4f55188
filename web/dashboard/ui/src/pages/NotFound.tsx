import { Fragment } from "preact";
import { inRail, pathname } from "../router";
import { Foot } from "../kit/Copy";
import { Empty } from "../kit/Empty";
import { Line } from "../kit/Line";

export function NotFound() {
  return (
    <>
      <Line title="Not found" state="stopped" text={`There is no page at ${pathname.value.slice(0, 80)}.`} />
      <Empty title="Go to one of these pages:">{inRail.map(([name, p], i) => <Fragment key={name}>{i > 0 && ", "}<a href={p.href}>{p.title}</a></Fragment>)}</Empty>
      <Foot text="aorta status" />
    </>
  );
}
