/** Lines over time: hover reads exact values, dragging chooses a range, a click a point. */
import { useEffect, useId, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import * as say from "./format";
import { theme } from "./theme";

interface Line {
  readonly name: string;
  /** One a time; null where there is none. */
  readonly values: readonly (number | null)[];
}

interface ChartProps {
  readonly title: string;
  /** Of the values, for the axis and the legend. */
  readonly format: (value: number | null) => string;
  /** Seconds since 1970, ascending. */
  readonly times: readonly number[];
  readonly lines: readonly Line[];
  /** Height of the drawing in pixels. */
  readonly height?: number;
  /** Called with the range that was dragged. */
  readonly onRange?: ((from: Date, to: Date) => void) | undefined;
  /** Where the requests of a point are, offered when it is clicked. */
  readonly hrefAt?: ((at: Date) => string) | undefined;
  /** Charts of the same name share their cursor. */
  readonly sync?: string | undefined;
}

export function Chart({ title, format, times, lines, height = 200, onRange, hrefAt, sync }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const id = useId();
  const names = lines.map(({ name }) => name).join("\n");
  const [point, setPoint] = useState<Date | null>(null);
  const latest = useRef({ format, onRange, setPoint });
  latest.current = { format, onRange, setPoint };
  const data: uPlot.AlignedData = [[...times], ...lines.map(({ values }) => [...values])];
  const dressed = theme.value;

  // Drawn anew for other lines or colours; other data of the same lines are set below.
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const made = new uPlot(optionsOf(element, { title, lines, height, sync }, latest), data, element);
    plot.current = made;
    const watcher = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    watcher.observe(element);
    return () => {
      watcher.disconnect();
      made.destroy();
    };
  }, [names, dressed, height, title, sync]);
  useEffect(() => plot.current?.setData(data), [times, lines]);

  // Of another range it is a point no more.
  const isThere = point !== null && times.includes(point.getTime() / 1000);
  return (
    <figure class="chart" aria-labelledby={id}>
      <figcaption>
        <span id={id}>{title}</span>
        {isThere && hrefAt && <a href={hrefAt(point)}>Requests of {say.time(point)}</a>}
      </figcaption>
      <div ref={place} />
    </figure>
  );
}

function optionsOf(
  element: HTMLElement,
  { title, lines, height, sync }: Pick<ChartProps, "title" | "lines" | "sync"> & { readonly height: number },
  latest: {
    readonly current: Pick<ChartProps, "format" | "onRange"> & { readonly setPoint: (at: Date) => void };
  },
): uPlot.Options {
  const color = colorsOf(element);
  const axis = {
    stroke: color("--text-muted"),
    grid: { stroke: color("--line"), width: 1 },
    ticks: { show: false },
    font: `12px ${getComputedStyle(element).fontFamily}`,
  };
  const colors = ["--line-1", "--line-2", "--line-3", "--line-4", "--line-5", "--line-6"];
  return {
    width: element.clientWidth,
    height,
    // Half of the longest time, which may stand under the right end.
    padding: [null, 32, null, null],
    legend: { live: true, markers: { width: 2 } },
    cursor: {
      drag: { x: Boolean(latest.current.onRange), y: false, setScale: false },
      points: { size: 6 },
      y: false,
      // A range that is dragged in one is no range in the others.
      ...(sync
        ? {
            sync: {
              key: sync,
              filters: { pub: (type) => type !== "mousedown" && type !== "mouseup", sub: () => true },
            },
          }
        : {}),
    },
    scales: { y: { range: (_, __, max) => [0, max > 0 ? max * 1.08 : 1] } },
    axes: [
      {
        ...axis,
        space: 72,
        size: (_, texts) => (texts?.some((text) => text.includes("\n")) ? 40 : 24),
        values: (_, ticks, __, ___, step) => axisTimes(ticks, step),
      },
      { ...axis, size: 64, values: (_, ticks) => ticks.map((tick) => latest.current.format(tick)) },
    ],
    series: [
      { label: "Time", value: (_, at) => (at === null ? say.unknown : say.time(new Date(at * 1000))) },
      ...lines.map(({ name }, at) => ({
        label: name,
        stroke: color(colors[at % colors.length] ?? "--accent"),
        width: 1.5,
        points: {
          show: false,
          size: 4,
          fill: color(colors[at % colors.length] ?? "--accent"),
          filter: alone,
        },
        value: (_: uPlot, value: number | null) => latest.current.format(value),
      })),
    ],
    hooks: {
      ready: [
        (made) => {
          const canvas = made.root.querySelector("canvas");
          canvas?.setAttribute("role", "img");
          canvas?.setAttribute("aria-label", title);
          made.over.addEventListener("click", () => {
            const at = made.data[0][made.cursor.idx ?? -1];
            if (at !== undefined) latest.current.setPoint(new Date(at * 1000));
          });
        },
      ],
      setSelect: [
        (made) => {
          const { left, width } = made.select;
          if (width < 4) return;
          const at = (pixels: number) => new Date(made.posToVal(pixels, "x") * 1000);
          latest.current.onRange?.(at(left), at(left + width));
          made.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        },
      ],
    },
  };
}

/** The clock, with the day under it where one begins; days alone where they are further apart. */
function axisTimes(ticks: readonly number[], step: number): string[] {
  return ticks.map((tick, index) => {
    const at = new Date(tick * 1000);
    if (step >= 86_400) return say.shortDay.format(at);
    const clock = say.clock.format(at);
    const isFirst = index === 0 || at.getHours() + at.getMinutes() === 0;
    return isFirst ? `${clock}\n${say.shortDay.format(at)}` : clock;
  });
}

/** Values with none on either side, which no line shows. */
function alone(plot: uPlot, line: number): number[] {
  const values = plot.data[line] ?? [];
  const isNone = (at: number) => (values[at] ?? null) === null;
  return [...values.keys()].filter((at) => !isNone(at) && isNone(at - 1) && isNone(at + 1));
}

/** A custom property's colour as the canvas takes it. */
function colorsOf(element: HTMLElement): (property: string) => string {
  return (property) => {
    const probe = document.createElement("span");
    probe.style.color = `var(${property})`;
    element.append(probe);
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  };
}
