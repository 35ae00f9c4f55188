// The user's sessions, each with a button to end it.
import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { del, get, path, messageOf, session } from "../api";
import type { OwnSession, Page } from "../types";
import { browser } from "../format";
import { Button } from "./Button";
import { Trouble, Wait } from "./Empty";
import { Foreign } from "./Foreign";
import { Ago } from "./Time";

export function Sessions() {
  const list = useSignal<OwnSession[] | null>(null);
  const error = useSignal("");
  const load = async () => {
    try {
      list.value = (await get<Page<OwnSession>>(path("sessions"))).items;
      error.value = "";
    } catch (err) {
      error.value = messageOf(err);
    }
  };
  useEffect(() => { void load(); }, []);
  const end = async (s: OwnSession) => {
    await del(path("sessions", s.session));
    if (s.current) session.value = null;
    else await load();
  };
  return (
    <>
      {error.value && <Trouble text={error.value} retry={load} />}
      {!list.value && !error.value && <Wait />}
      <ul class="rows">
        {list.value?.map((s) => (
          <li key={s.session}>
            <span class="grow"><b><Foreign text={browser(s.agent)} /></b><br /><span class="muted">{s.address} · last used <Ago at={s.seen_at} />{s.current ? " · this session" : ""}</span></span>
            <Button onClick={() => end(s)} label={`End the session of ${browser(s.agent)} from ${s.address}`}>End</Button>
          </li>
        ))}
      </ul>
    </>
  );
}
