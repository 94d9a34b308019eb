// Draws charts from the tables of the page, with uPlot. The tables are all there without it: this adds pictures and no numbers.
"use strict";
(() => {
  const units = {
    count: (v) => v.toLocaleString("en"),
    seconds: (v) => (v < 120 ? `${+v.toPrecision(3)} s` : v < 7200 ? `${+(v / 60).toPrecision(3)} min` : `${+(v / 3600).toPrecision(3)} h`),
    bytes: (v) => {
      let i = 0;
      while (v >= 1000 && i < 5) { v /= 1000; i++; }
      return `${+v.toPrecision(3)} ${["B", "kB", "MB", "GB", "TB", "PB"][i]}`;
    },
  };
  const day = (s) => new Date(s * 1000).toLocaleDateString("en", { month: "short", day: "numeric", timeZone: "UTC" });
  const minute = (s) => new Date(s * 1000).toLocaleTimeString("en", { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: "UTC" });
  // Days, or within two of them times; a label that says the same as the one before it says nothing.
  const dates = (u, splits) => {
    const near = u.scales.x.max - u.scales.x.min < 2 * 86400;
    const labels = splits.map((s) => (near ? `${day(s)} ${minute(s)}` : day(s)));
    return labels.map((label, i) => (i > 0 && label === labels[i - 1] ? "" : label));
  };
  // A single point has no width, and uPlot gives it years: half a day to each side of it.
  const around = (u, min, max) => {
    const [first, last] = [u.data[0].at(0), u.data[0].at(-1)];
    return last - first < 3600 ? [first - 43200, last + 43200] : [min, max];
  };
  const outcomes = ["done", "partial", "failed", "refused", "cancelled", "interrupted", "running"];
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const value = (row, column) => row.cells[column].dataset.v;

  // One array of x, then one array a series; the tables have the newest row first.
  function read(figure, table) {
    const rows = [...table.tBodies[0].rows].reverse();
    const heads = [...table.tHead.rows[0].cells].map((c) => c.textContent);
    const columns = figure.dataset.columns.split(",").map(Number);
    const x = rows.map((r) => Number(value(r, 0)));
    if (!figure.dataset.group)
      return { x, series: columns.map((c) => ({ label: heads[c], values: rows.map((r) => Number(value(r, c))) })) };
    const group = Number(figure.dataset.group);
    const used = outcomes.filter((o) => rows.some((r) => value(r, group) === o));
    return { x, series: used.map((o) => ({ label: o, values: rows.map((r) => (value(r, group) === o ? Number(value(r, columns[0])) : null)) })) };
  }

  function draw(figure) {
    const table = document.getElementById(figure.dataset.table);
    if (!table) return;
    figure.hidden = false;
    const plot = figure.querySelector(".plot");
    const { x, series } = read(figure, table);
    const format = units[figure.dataset.unit];
    const kind = figure.dataset.kind;
    const grid = { stroke: colour("--line"), width: 1 };
    const axis = { stroke: colour("--soft"), grid, ticks: grid, font: "12px system-ui, DejaVu Sans, sans-serif" };
    const colours = { done: "--c1", partial: "--c2", failed: "--c4", refused: "--c3" };
    const options = {
      width: plot.clientWidth,
      height: plot.clientHeight - 30,
      tzDate: (ts) => uPlot.tzDate(new Date(ts * 1000), "Etc/UTC"),
      scales: { x: { time: true, range: around }, y: { range: (u, min, max) => [0, max > 0 ? max * 1.1 : 1] } },
      axes: [{ ...axis, space: 90, values: dates }, { ...axis, size: 62, values: (u, splits) => splits.map(format) }],
      legend: { live: false },
      cursor: { drag: { x: false, y: false } },
      series: [{}].concat(series.map((s, i) => {
        const stroke = colour(kind === "points" ? colours[s.label] || "--c5" : ["--c1", "--c2", "--c3"][i]);
        return {
          label: s.label, stroke, width: 2, value: (u, v) => (v == null ? "-" : format(v)),
          ...(kind === "bars" ? { fill: stroke, width: 0, paths: uPlot.paths.bars({ size: [0.38, 40], align: i === 0 ? -1 : 1 }), points: { show: false } } : {}),
          ...(kind === "lines" ? { points: { show: false } } : {}),
          ...(kind === "points" ? { paths: () => null, points: { show: true, size: 8, fill: stroke } } : {}),
        };
      })),
    };
    plot.replaceChildren();
    const chart = new uPlot(options, [x, ...series.map((s) => s.values)], plot);
    new ResizeObserver(() => chart.setSize({ width: plot.clientWidth, height: plot.clientHeight - 30 })).observe(plot);
  }

  const all = () => document.querySelectorAll("figure[data-table]").forEach(draw);
  if (typeof uPlot === "undefined") return;
  all();
  document.querySelectorAll("details.days").forEach((d) => { d.open = false; });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", all);
})();
