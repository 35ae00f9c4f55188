import { Card } from "./Card";
import { Wait } from "./Empty";
import { Line } from "./Line";

// Skeleton is the placeholder of a page that loads.
export function Skeleton({ title, rows, card }: { title: string; rows: number; card?: string }) {
  return (
    <>
      <Line title={title} state="waiting" word="" text="Loading …" />
      {card ? <Card title={card}><Wait rows={rows} /></Card> : <Wait rows={rows} />}
    </>
  );
}
