// A sparkline of ten minutes of requests; the value is in the column beside it.
const width = 120;
const height = 24;

export function Spark({ points, label }: { points: number[] | null | undefined; label: string }) {
  const values = points ?? [];
  const most = Math.max(1, ...values);
  const step = width / Math.max(1, values.length - 1);
  const line = values.map((v, i) => `${(i * step).toFixed(1)},${(height - 1.5 - (v / most) * (height - 3)).toFixed(1)}`).join(" ");
  return (
    <svg class="spark" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label} preserveAspectRatio="none">
      <path d={`M0 ${height - 0.5}h${width}`} class="ground" />
      {values.some((v) => v > 0) && <polyline points={line} />}
    </svg>
  );
}
