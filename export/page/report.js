/* The charts of a report. All numbers come from the page's own data block; the tables hold them, too. */
(() => {
  "use strict";
  const data = JSON.parse(document.getElementById("data").textContent);
  const charts = new Map();
  const palette = ["#6f9ac4", "#7db8a4", "#a48fc0", "#c9a46b", "#8aa0ad", "#c58590", "#93b36a", "#b09a8a", "#5f86a0", "#9c7fa6",
    "#6ea3a0", "#a8a565", "#8894c9", "#bb8f73"];
  const IOT = "#e08a2b", IOT_LIGHT = "#f2bf85", REST = "#aab4bd";
  document.documentElement.classList.add("js");

  const japanese = () => document.getElementById("lang-ja").checked;
  const word = name => data.words[name][japanese() ? 1 : 0];
  const color = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const number = value => value.toLocaleString("en-US");
  const percent = (num, den) => {
    if (!den) return "-";
    const exact = num / den * 100;
    return num > 0 && exact < 0.1 ? "<0.1 %" : num < den && exact > 99.9 ? ">99.9 %" : exact.toFixed(1) + " %";
  };
  const of = (num, den, over) => japanese() ? `${over} に対して ${percent(num, den)}` : `${percent(num, den)} of ${over}`;
  const axis = text => ({ grid: { color: color("--line"), drawBorder: false }, ticks: { color: color("--dim"), maxRotation: 0,
    autoSkipPadding: 14 }, title: { display: !!text, text, color: color("--dim") } });
  /* An axis of names: all of them. */
  const every = () => ({ grid: { display: false, drawBorder: false }, ticks: { color: color("--ink"), autoSkip: false } });
  const short = value => value >= 1e9 ? value / 1e9 + " G" : value >= 1e6 ? value / 1e6 + " M" : value >= 1e3 ? value / 1e3 + " k" : value;

  function draw(id, make) {
    const canvas = document.getElementById(id);
    if (!canvas) return;
    const old = charts.get(id);
    if (old) old.destroy();
    charts.set(id, new Chart(canvas, make()));
  }

  function options(more) {
    return Object.assign({ responsive: true, maintainAspectRatio: false, animation: false,
      interaction: { mode: "index", intersect: false } }, more);
  }

  const legend = position => ({ position, labels: { color: color("--ink"), boxWidth: 12, boxHeight: 12, usePointStyle: false } });

  /* Slices that nobody could see become one, so that the pie stays readable; the table has them all. */
  function slices() {
    const shown = data.categories.filter((c, i) => c.packets > 0 && (i < 9 || c.name === "iot"));
    const rest = data.categories.filter(c => !shown.includes(c)).reduce((sum, c) => sum + c.packets, 0);
    let next = 0;
    const list = shown.map(c => ({ name: c.name, packets: c.packets,
      color: c.name === "iot" ? IOT : c.name === "other" ? REST : palette[next++ % palette.length] }));
    if (rest > 0) list.push({ name: word("other") + " …", packets: rest, color: "#c9d0d6" });
    return list;
  }

  function pie() {
    const list = slices();
    return { type: "doughnut", data: { labels: list.map(c => c.name), datasets: [{ data: list.map(c => c.packets),
      backgroundColor: list.map(c => c.color), borderColor: color("--card"), borderWidth: 2 }] },
      options: options({ cutout: "52%", interaction: { mode: "nearest", intersect: true }, plugins: { legend: legend("right"),
        tooltip: { callbacks: { label: c => `${c.label}: ${number(c.parsed)} ${word("packets")}, ${of(c.parsed, data.scan, data.over)}` } } } }) };
  }

  function sources() {
    const list = data.categories.filter(c => c.high > 0).sort((a, b) => b.high - a.high).slice(0, 10);
    return { type: "bar", data: { labels: list.map(c => c.name), datasets: [{ label: word("sources"),
      data: list.map(c => c.low === c.high ? c.high : [c.low, c.high]),
      backgroundColor: list.map(c => c.name === "iot" ? IOT : color("--bar")), borderRadius: 3, borderSkipped: false, barPercentage: .75 }] },
      options: options({ indexAxis: "y", plugins: { legend: { display: false } },
        scales: { x: Object.assign(axis(word("sources")), { beginAtZero: true }), y: every() } }) };
  }

  function overlapping() {
    const marks = data.marks.map((name, i) => ({ name, value: data.whole[i] })).slice(2);
    return { type: "bar", data: { labels: marks.map(m => m.name), datasets: [{ label: word("packets"),
      data: marks.map(m => data.whole[1] ? m.value / data.whole[1] * 100 : 0), backgroundColor: IOT, borderRadius: 3, barPercentage: .7 }] },
      options: options({ indexAxis: "y", plugins: { legend: { display: false },
        tooltip: { callbacks: { label: c => `${number(marks[c.dataIndex].value)} ${word("packets")}, ${of(marks[c.dataIndex].value, data.whole[1], data.whole_over)}` } } },
        scales: { x: Object.assign(axis("% " + (japanese() ? "／ " : "of ") + data.whole_over), { beginAtZero: true }),
          y: every() } }) };
  }

  const labels = () => data.points.map(p => p.complete ? p.label : p.label + " *");

  function kinds() {
    const total = data.kinds.map((name, i) => ({ name, i, sum: data.points.reduce((sum, p) => sum + p.kinds[i], 0) }))
      .filter(k => k.sum > 0).sort((a, b) => b.sum - a.sum);
    return { type: "bar", data: { labels: labels(), datasets: total.map((k, n) => ({ label: k.name,
      data: data.points.map(p => p.kinds[k.i]), backgroundColor: palette[n % palette.length], stack: "all",
      barPercentage: 1, categoryPercentage: data.points.length > 40 ? 1 : .86 })) },
      options: options({ plugins: { legend: legend("bottom"), tooltip: { itemSort: (a, b) => b.raw - a.raw,
        callbacks: { label: c => `${c.dataset.label}: ${number(c.parsed.y)}` } } },
        scales: { x: Object.assign(axis(""), { stacked: true, grid: { display: false } }),
          y: Object.assign(axis(word("packets")), { stacked: true, beginAtZero: true,
            ticks: { color: color("--dim"), callback: short } }) } }) };
  }

  function shares() {
    const styles = { iot_strict: [IOT, []], iot_broad: [IOT_LIGHT, []], iot_payload: ["#6f9ac4", []], iot_bot: ["#a48fc0", []],
      iot_confirmed: ["#7db8a4", [5, 4]] };
    return { type: "line", data: { labels: labels(), datasets: data.marks.map((name, i) => ({ name, i })).slice(2).map(m => ({
      label: m.name, data: data.points.map(p => p.has && p.marks[1] ? p.marks[m.i] / p.marks[1] * 100 : null),
      borderColor: styles[m.name][0], backgroundColor: styles[m.name][0], borderDash: styles[m.name][1], borderWidth: 2,
      pointRadius: data.points.length > 60 ? 0 : 2.5, tension: 0, spanGaps: false })) },
      options: options({ plugins: { legend: legend("bottom"), tooltip: { callbacks: { label: c => {
        const p = data.points[c.dataIndex], i = data.marks.indexOf(c.dataset.label);
        return `${c.dataset.label}: ${of(p.marks[i], p.marks[1], data.points_over)}`;
      } } } }, scales: { x: Object.assign(axis(""), { grid: { display: false } }),
        y: Object.assign(axis("% " + (japanese() ? "／ " : "of ") + data.points_over), { beginAtZero: true }) } }) };
  }

  function coverage() {
    return { type: "bar", data: { labels: labels(), datasets: [{ label: "%", data: data.points.map(p => p.coverage / 1000),
      backgroundColor: data.points.map(p => p.complete ? color("--bar") : IOT), barPercentage: 1, categoryPercentage: .9 }] },
      options: options({ plugins: { legend: { display: false }, tooltip: { callbacks: { label: c => `${c.parsed.y.toFixed(3)} %` } } },
        scales: { x: Object.assign(axis(""), { grid: { display: false } }), y: Object.assign(axis("%"), { min: 0, max: 100 }) } }) };
  }

  function all() {
    Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
    draw("chart-pie", pie);
    draw("chart-sources", sources);
    draw("chart-overlapping", overlapping);
    draw("chart-kinds", kinds);
    draw("chart-shares", shares);
    draw("chart-coverage", coverage);
  }

  for (const id of ["lang-en", "lang-ja"])
    document.getElementById(id).addEventListener("change", () => {
      document.documentElement.lang = japanese() ? "ja" : "en";
      all();
    });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", all);
  matchMedia("print").addEventListener("change", all);
  all();
  document.documentElement.dataset.charts = String(charts.size);
})();
