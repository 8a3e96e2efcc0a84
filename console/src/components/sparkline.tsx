type SparklineProps = { values: readonly number[]; label: string };

const width = 160;
const height = 36;

/** A small line without axes; `label` says what it shows. */
export function Sparkline({ values, label }: SparklineProps) {
  const largest = Math.max(1, ...values);
  const step = width / Math.max(1, values.length - 1);
  const points = values.map((value, index) => {
    const y = height - 2 - (value / largest) * (height - 4);
    return `${(index * step).toFixed(1)},${y.toFixed(1)}`;
  });
  return (
    <svg
      className="sparkline"
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <polygon className="sparkline-area" points={`0,${height} ${points.join(" ")} ${width},${height}`} />
      <polyline className="sparkline-line" points={points.join(" ")} />
    </svg>
  );
}
