import { Card } from "./Card";
import { Wait } from "./Empty";
import { Line } from "./Line";

// Skeleton keeps the places of a page whose first words come in a moment.
export function Skeleton({ title, rows, card }: { title: string; rows: number; card?: string }) {
  return (
    <>
      <Line title={title} state="waiting" word="" text="Asking the cluster …" />
      {card ? <Card title={card}><Wait rows={rows} /></Card> : <Wait rows={rows} />}
    </>
  );
}
