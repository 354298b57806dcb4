/* The charts. Their numbers stand in the tables, too; each says in words what it shows. */
const charts = new Map();
const axis = text => ({ grid: { color: color("--line"), drawBorder: false }, ticks: { color: color("--dim"), maxRotation: 0, autoSkipPadding: 18 },
  title: { display: !!text, text, color: color("--dim") } });
const counts = text => Object.assign(axis(text), { beginAtZero: true, ticks: { color: color("--dim"), callback: short, maxTicksLimit: 7 } });
const times = () => Object.assign(axis(""), { grid: { display: false, drawBorder: false }, ticks: { color: color("--dim"), maxRotation: 0, autoSkipPadding: 22 } });
/* An axis of names: all of them. */
const every = () => ({ grid: { display: false, drawBorder: false }, ticks: { color: color("--ink"), autoSkip: false } });
const legend = position => ({ position, labels: { color: color("--ink"), boxWidth: 11, boxHeight: 11, padding: 12,
  generateLabels: chart => Chart.defaults.plugins.legend.labels.generateLabels(chart).map(l => Object.assign(l, { lineDash: [], lineWidth: 0 })) } });
const options = more => Object.assign({ responsive: true, maintainAspectRatio: false, animation: false, interaction: { mode: "index", intersect: false } }, more);

/* Chart.js listens to its canvas and its canvas's size: one chart per canvas, changed in place, so that a page that stays open for
 * weeks listens no more than at first. */
function draw(id, says, config) {
  const canvas = $(id), old = charts.get(id);
  canvas.setAttribute("aria-label", says);
  if (old && old.config.type === config.type) {
    old.data.labels = config.data.labels;
    old.data.datasets = config.data.datasets;
    old.options = config.options;
    old.update("none");
  } else {
    if (old) old.destroy();
    charts.set(id, new Chart(canvas, config));
  }
  document.documentElement.dataset.charts = String(charts.size);
}

/* ---- what is aimed at */

/* Slices that nobody could see become one, so that the pie stays readable; the table has them all. */
function pie(list) {
  const shown = list.filter((c, i) => i < 9 || c.name === "iot"), rest = list.filter(c => !shown.includes(c)).reduce((sum, c) => sum + c.packets, 0);
  const slices = rest > 0 ? [...shown, { name: word("other") + " …", packets: rest, color: FAINT }] : shown;
  const b = basis();
  draw("chart-pie", say("pie_says", list.slice(0, 6).map(c => `${c.name} ${percent(c.packets, b.scan)}`).join(", ") + ` (${b.rows})`), { type: "doughnut",
    data: { labels: slices.map(c => c.name), datasets: [{ data: slices.map(c => c.packets), backgroundColor: slices.map(c => c.color),
      borderColor: color("--card"), borderWidth: 2 }] },
    options: options({ cutout: "58%", interaction: { mode: "nearest", intersect: true }, plugins: { legend: { display: false },
      tooltip: { callbacks: { label: c => ` ${c.label}: ${number(c.parsed)}, ${percentOf(c.parsed, b.scan, b.rows)}` } } } }) });
}

const bounds = (c, key) => c[key] !== null && c[key] !== undefined ? [c[key], c[key]] : [c[key + "_low"] || 0, c[key + "_high"] || 0];

function categorySources(list) {
  const b = basis(), known = list.filter(c => c.of).map(c => ({ name: c.name, at: bounds(c.of, b.rowSources) })).filter(c => c.at[1] > 0)
    .sort((x, y) => y.at[1] - x.at[1]).slice(0, 10);
  $("by-sources").hidden = known.length === 0;
  if (known.length === 0) return;
  draw("chart-category-sources", say("chart_says", word("categories_sources")), { type: "bar", data: { labels: known.map(c => c.name), datasets: [{
    label: say("sources"), data: known.map(c => c.at[0] === c.at[1] ? c.at[1] : c.at),
    backgroundColor: known.map(c => c.name === "iot" ? IOT : color("--bar")), borderRadius: 3, borderSkipped: false, barPercentage: .75 }] },
  options: options({ indexAxis: "y", plugins: { legend: { display: false } }, scales: { x: counts(say("sources")), y: every() } }) });
}

function overlapping() {
  const b = basis(), marks = Object.keys(day.span.shares).map(name => ({ name, share: day.span.shares[name][b.marks].packets })).filter(m => m.share);
  const over = `% ${japanese ? "／" : "of"} ${b.marks}`;
  draw("chart-overlapping", say("chart_says", `${word("overlapping")}: ` + marks.map(m => `${m.name} ${percent(m.share.num, m.share.den)}`).join(", ") + ` (${b.marks})`),
    { type: "bar", data: { labels: marks.map(m => m.name), datasets: [{ label: say("packets"), data: marks.map(m => m.share.den ? m.share.num / m.share.den * 100 : 0),
      backgroundColor: IOT, borderRadius: 3, barPercentage: .7 }] },
    options: options({ indexAxis: "y", plugins: { legend: { display: false }, tooltip: { callbacks: { label: c => { const s = marks[c.dataIndex].share;
      return ` ${number(s.num)}, ${percentOf(s.num, s.den, b.marks)}`; } } } },
    scales: { x: Object.assign(axis(over), { beginAtZero: true }), y: every() } }) });
}

/* ---- over time */

/* Where nothing was observed a column is shaded: `shaded(index)` of a chart's labels. */
const shade = { id: "shade", beforeDatasetsDraw(chart, _, plugin) {
  const x = chart.scales.x, area = chart.chartArea, count = chart.data.labels.length;
  if (!plugin.shaded || count === 0) return;
  const width = (area.right - area.left) / count;
  chart.ctx.save();
  chart.ctx.fillStyle = plugin.color;
  for (let i = 0; i < count; i++)
    if (plugin.shaded(i)) chart.ctx.fillRect(x.options.offset ? x.getPixelForValue(i) - width / 2 : x.getPixelForValue(i - .5), area.top, width, area.bottom - area.top);
  chart.ctx.restore();
} };
Chart.register(shade);

/* Points of equal length with those between that hold nothing: what was not observed takes its place, too. */
function filled() {
  const points = day.points.at, step = day.points.seconds, most = 2000;
  const list = [];
  if (day.points.per === "day" && points.length > 0) {
    const at = new Map(points.map(p => [p.label, p])), time = label => Date.parse(label + "T00:00:00Z");
    for (let t = time(points[0].label); t <= time(points[points.length - 1].label) && list.length < most; t += 86400000) {
      const label = new Date(t).toISOString().slice(0, 10);
      list.push(at.get(label) || { label, start: t / 1000, isMissing: true });
    }
    return list;
  }
  if (!step || points.length === 0) return points;
  for (const p of points) {
    for (let at = list.length ? list[list.length - 1].start + step : p.start; at < p.start - step / 2 && list.length < most; at += step)
      list.push({ start: at, isMissing: true });
    list.push(p);
  }
  return list;
}

/* Whether gaps take a tenth of a point, or all of it is missing. */
function gapShade(points) {
  const step = day.points.seconds;
  const missing = p => p.isMissing || (step && day.outages.gaps.reduce((sum, g) => sum + Math.max(0, Math.min(g.end, p.start + step) - Math.max(g.start, p.start)), 0) > step / 10);
  const at = points.map(missing);
  return { plugin: { shaded: i => at[i], color: color("--gap") }, count: at.filter(Boolean).length };
}

/* Where hours come from several days, or days, they say so themselves. */
const labelOf = (p, points) => p.label ? p.label.replace("T", " ").slice(0, 16) : points.some(x => x.label) ? moment(p.start).slice(0, 16) : clock(p.start);

function kindsChart(points, labels, shading) {
  const names = day.points.kinds.map((name, i) => ({ name, i, sum: points.reduce((sum, p) => sum + (p.kinds ? p.kinds[i] : 0), 0) })).filter(k => k.sum > 0)
    .sort((x, y) => y.sum - x.sum);
  const told = eventsAt(points);
  draw("chart-kinds", say("chart_says", say("packets_by_kind")), { type: "bar", data: { labels, datasets: names.map((k, at) => ({ label: k.name,
    data: points.map(p => p.kinds ? p.kinds[k.i] : null), backgroundColor: PALETTE[at % PALETTE.length], stack: "all", barPercentage: 1, categoryPercentage: points.length > 40 ? 1 : .86 })) },
  options: options({ plugins: { shade: shading, marks: { at: told }, legend: legend("bottom"), tooltip: { itemSort: (x, y) => y.raw - x.raw, filter: c => c.raw > 0,
    callbacks: { afterBody: items => items.length ? markWords(told[items[0].dataIndex]) : [], label: c => ` ${c.dataset.label}: ${number(c.parsed.y)}` } } },
  scales: { x: Object.assign(times(), { stacked: true }), y: Object.assign(counts(say("packets")), { stacked: true }) } }) });
}

const line = (label, data, stroke, dash) => ({ label, data, borderColor: stroke, backgroundColor: stroke, borderWidth: 2, borderDash: dash || [],
  pointRadius: data.length > 40 ? 0 : 2, pointHitRadius: 8, tension: 0, spanGaps: false });

function sourcesChart(points, labels, shading) {
  const of = name => day.points.source_marks.indexOf(name), values = name => points.map(p => p.sources ? p.sources[of(name)] : null);
  const about = day.points.seconds === 900 ? "≈ " : "";
  $("series-sources").hidden = values("total").every(v => v === null);
  if ($("series-sources").hidden) return;
  draw("chart-sources", say("chart_says", say("sources_by_mark")), { type: "line", data: { labels, datasets: [
    line("total", values("total"), REST), line("scan", values("scan"), PALETTE[0]), line("iot_broad", values("iot_broad"), IOT)] },
  options: options({ plugins: { shade: shading, legend: legend("bottom"), tooltip: { callbacks: { label: c => ` ${c.dataset.label}: ${about}${number(c.parsed.y)}` } } },
    scales: { x: times(), y: counts("") } }) });
}

function sharesChart(points, labels, over, shading) {
  const at = day.points.marks, of = name => at.indexOf(name), marks = p => over === "scan_ex_survey" ? p.marks_ex : p.marks;
  const value = (p, mark) => { const m = marks(p); return m && m[of("scan")] ? m[of(mark)] / m[of("scan")] * 100 : null; };
  const styles = { iot_strict: [IOT], iot_broad: [IOT_LIGHT], iot_confirmed: [PALETTE[1], [5, 4]] };
  if (embedded) Object.assign(styles, { iot_payload: [PALETTE[0]], iot_bot: [PALETTE[2]] });
  fill($("shares-over"), ofOver(over));
  draw("chart-shares", say("chart_says", `${say("shares_over_time")} ${say("of")} ${over}`), { type: "line", data: { labels, datasets:
    Object.keys(styles).map(mark => line(mark, points.map(p => value(p, mark)), styles[mark][0], styles[mark][1])) },
  options: options({ plugins: { shade: shading, legend: legend("bottom"), tooltip: { callbacks: { label: c => {
    const m = marks(points[c.dataIndex]);
    return ` ${c.dataset.label}: ${percentOf(m[of(c.dataset.label)], m[of("scan")], over)}`;
  } } } }, scales: { x: times(), y: Object.assign(axis(`% ${japanese ? "／" : "of"} ${over}`), { beginAtZero: true }) } }) });
}

/* Of a report of several days: how much of each was observed. */
function coverageChart(points, labels) {
  if (!$("figure-coverage")) return;
  if (day.span.days === 0 || points.length < 2 || day.points.per === "hour") {
    $("figure-coverage").remove();
    return;
  }
  draw("chart-coverage", say("chart_says", word("coverage")), { type: "bar", data: { labels, datasets: [{ label: "%", data: points.map(p => p.isMissing ? 0 : p.coverage_milli / 1000),
    backgroundColor: points.map(p => p.complete ? color("--bar") : IOT), barPercentage: 1, categoryPercentage: .9 }] },
  options: options({ plugins: { legend: { display: false }, tooltip: { callbacks: { label: c => ` ${c.parsed.y.toFixed(3)} %` } } },
    scales: { x: times(), y: Object.assign(axis(`% ${say("of_day")}`), { min: 0, max: 100 }) } }) });
}

function timePart() {
  const points = filled();
  $("series").hidden = points.length === 0;
  if (points.length === 0) return;
  const labels = points.map(p => labelOf(p, points) + (p.complete === false ? " *" : "")), shading = gapShade(points);
  const over = day.points.over || (points.every(p => p.isMissing || p.marks_ex) ? "scan_ex_survey" : "scan");
  $("series-note").textContent = [embedded ? "" : say("time_note"), points.some(p => p.complete === false) ? say("starred") : "", shading.count ? say("shaded") : ""].join(" ").trim();
  kindsChart(points, labels, shading.plugin);
  sharesChart(points, labels, over, shading.plugin);
  sourcesChart(points, labels, shading.plugin);
  coverageChart(points, labels);
  seriesTable(points.filter(p => !p.isMissing), over);
}
