import "uplot/dist/uPlot.min.css";
import { useComputedColorScheme } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { useEffect, useRef } from "react";
import uPlot from "uplot";

type Series = { name: string; values: readonly number[] };

type BarChartProps = {
  /** One for each value, as dates of the form 2026-11-29. */
  days: readonly string[];
  /** Stacked in this order. */
  series: readonly Series[];
  label: string;
  formatDay: (day: string) => string;
  formatNumber: (value: number) => string;
};

const height = 240;
export const seriesColours = [
  "#4f72c5",
  "#e6b324",
  "#3a9d74",
  "#b065c9",
  "#d9694a",
  "#6b8e9e",
  "#9aa23c",
  "#c77b9b",
];

/** Stacked bars, one a day. The same numbers stand in a table beside it, for those who cannot see it. */
export function BarChart({ days, series, label, formatDay, formatNumber }: BarChartProps) {
  const { ref, width } = useElementSize();
  const host = useRef<HTMLDivElement>(null);
  const scheme = useComputedColorScheme();
  useEffect(() => {
    if (!host.current || width === 0) return;
    const ink = scheme === "dark" ? "#a3a9b1" : "#5c636b";
    const lines = scheme === "dark" ? "#3a3d42" : "#e3e6ea";
    const axis = { stroke: ink, grid: { stroke: lines, width: 1 }, ticks: { show: false } };
    const chart = new uPlot(
      {
        width,
        height,
        legend: { show: false },
        cursor: { show: false },
        scales: {
          x: { time: false, range: [-0.6, days.length - 0.4] },
          y: { range: (_, __, top) => [0, top * 1.1 || 1] },
        },
        axes: [
          {
            ...axis,
            grid: { show: false },
            space: 64,
            incrs: [1, 2, 3, 5, 7, 10, 15, 30],
            values: (_, marks) =>
              marks.map((index) => (days[index] === undefined ? "" : formatDay(days[index]))),
          },
          { ...axis, size: 64, values: (_, marks) => marks.map(formatNumber) },
        ],
        series: [{}, ...series.map((_, index) => barSeries(index)).reverse()],
      },
      [days.map((_, index) => index), ...stacked(days.length, series).reverse()],
      host.current,
    );
    return () => chart.destroy();
  }, [width, scheme, days, series, formatDay, formatNumber]);
  return (
    <div ref={ref} role="img" aria-label={label}>
      <div ref={host} className="chart" />
    </div>
  );
}

function barSeries(index: number): uPlot.Series {
  const colour = seriesColours[index % seriesColours.length] ?? "#4f72c5";
  return { fill: colour, stroke: colour, width: 0, paths: bars, points: { show: false } };
}

const bars = uPlot.paths.bars?.({ size: [0.7, 40] }) ?? (() => null);

/** Each series plus those below it; drawn from the tallest on, so that the lower ones stay visible. */
function stacked(length: number, series: readonly Series[]): number[][] {
  return series.map((_, last) =>
    Array.from({ length }, (_none, day) =>
      series.slice(0, last + 1).reduce((sum, { values }) => sum + (values[day] ?? 0), 0),
    ),
  );
}
