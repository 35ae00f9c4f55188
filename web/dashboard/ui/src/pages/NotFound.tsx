import { pathname } from "../router";
import { Foot } from "../kit/Copy";
import { Empty } from "../kit/Empty";
import { Line } from "../kit/Line";

export function NotFound() {
  return (
    <>
      <Line title="Not found" state="stopped" text={`There is no page at ${pathname.value.slice(0, 80)}.`} />
      <Empty title="Go to one of these pages:"><a href="/">Overview</a>, <a href="/apps">Apps</a>, <a href="/jobs">Jobs</a>, <a href="/nodes">Nodes</a>, <a href="/settings">Settings</a></Empty>
      <Foot text="aorta status" />
    </>
  );
}
