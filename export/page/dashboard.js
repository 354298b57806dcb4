/* The dashboard: one day of a feed, and what comes live. All numbers come from /api/v1; names in them are a stranger's, so that
 * everything is put on the page as text. */
(() => {
  "use strict";
  const words = JSON.parse(document.getElementById("words").textContent);
  const T = DASHBOARD_WORDS;
  const PALETTE = ["#6f9ac4", "#7db8a4", "#a48fc0", "#c9a46b", "#8aa0ad", "#c58590", "#93b36a", "#b09a8a", "#5f86a0", "#9c7fa6",
    "#6ea3a0", "#a8a565", "#8894c9", "#bb8f73"];
  const IOT = "#e08a2b", IOT_LIGHT = "#f2bf85", REST = "#aab4bd";
  const LIVE_MAX = 120;
  const $ = id => document.getElementById(id);
  const charts = new Map();
  const query = new URLSearchParams(location.search);
  let japanese = (query.get("lang") || localStorage.getItem("lang") || navigator.language || "en").startsWith("ja");
  let date = /^\d{4}-\d\d-\d\d$/.test(query.get("day") || "") ? query.get("day") : null; // null: the newest
  let day = null, newest = null, health = null, windows = [], isOn = false, isPublic = false, lastWindow = null, pending = 0, asked = 0;

  const say = (key, ...parts) => parts.reduce((text, part, i) => text.replace(`{${i}}`, part), T[key][japanese ? 1 : 0]);
  const number = value => Number(value).toLocaleString("en-US");
  const percent = (num, den) => {
    if (!den) return "–";
    const exact = num / den * 100;
    return num > 0 && exact < 0.1 ? "<0.1 %" : num < den && exact > 99.9 ? ">99.9 %" : exact.toFixed(1) + " %";
  };
  const color = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const short = value => value >= 1e9 ? value / 1e9 + " G" : value >= 1e6 ? value / 1e6 + " M" : value >= 1e3 ? value / 1e3 + " k" : value;
  const clock = (seconds, more) => new Date(seconds * 1000).toLocaleTimeString("en-GB",
    Object.assign({ hour: "2-digit", minute: "2-digit", timeZone: day ? day.timezone : "UTC" }, more));

  /* ---- pieces of the page */

  function make(name, attributes, ...children) {
    const svg = name === "svg" || name === "rect";
    const node = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {}))
      if (value !== null && value !== undefined && value !== false) node.setAttribute(key, value === true ? "" : value);
    for (const child of children.flat())
      if (child !== null && child !== undefined) node.append(child);
    return node;
  }
  const fill = (node, ...children) => node.replaceChildren(...children.flat().filter(c => c !== null && c !== undefined));

  let tips = 0;
  /* A name whose definition is a hover, a tap or a tab away. */
  function tip(name, text, isPlain) {
    const id = `tip-${++tips}`;
    return make("span", { class: "tip", tabindex: "0", "aria-describedby": id }, isPlain ? name : make("code", {}, name),
      make("span", { class: "says", role: "tooltip", id }, text));
  }
  const markTip = name => tip(name, (words.numerators[name] || ["", ""])[japanese ? 1 : 0]);
  const overTip = name => tip(name, (words.denominators[name] || ["", ""])[japanese ? 1 : 0]);
  const ofOver = name => japanese ? [overTip(name), " に対する割合"] : ["of ", overTip(name)];

  function meter(num, den, name) {
    const width = den ? Math.max(num > 0 ? 0.6 : 0, Math.min(100, num / den * 100)) : 0;
    return make("svg", { viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" },
      make("rect", { class: name, width: width.toFixed(2), height: 8 }));
  }
  const n = (text, more) => make("td", Object.assign({ class: "n" }, more), text);
  const bar = (num, den, iot) => make("td", { class: "b cell-bar", "aria-hidden": "true" }, meter(num, den, iot ? "iot" : "bar"));
  const head = (...cells) => make("thead", {}, make("tr", {}, cells.map(([text, name]) => make("th", { scope: "col", class: name || null,
    "aria-hidden": text === "" ? "true" : null }, text))));
  const headOver = over => [japanese ? ["% ／ ", overTip(over)] : ["% of ", overTip(over)], "n"];

  function table(id, caption, header, rows) {
    fill($(id), make("caption", { class: "off-screen" }, caption), header, make("tbody", {}, rows.length ? rows :
      make("tr", {}, make("td", { class: "empty", colspan: header.firstChild.children.length }, say("nothing")))));
  }

  function range(count, name) {
    const exact = count[name], low = count[name + "_low"], high = count[name + "_high"];
    if (exact !== null && exact !== undefined) return number(exact);
    if (low === undefined) return "–";
    return low > 0 ? "≥ " + number(low) : "–";
  }

  /* ---- what the shares of this day are over */

  function basis() {
    const span = day.span;
    const has = !span.ex_survey_absent;
    const rows = has && span.days > 0;
    return { marks: has ? "scan_ex_survey" : "scan", rows: rows ? "scan_ex_survey" : "scan", rowKey: rows ? "packets_ex_survey" : "packets",
      rowSources: rows ? "sources_ex_survey" : "sources",
      scan: rows ? span.marks.scan.packets_ex_survey : span.marks.scan.packets };
  }

  function card(mark, b) {
    const share = day.span.shares[mark][b.marks], p = share.packets;
    let s = share.sources, over = b.marks, about = "";
    if (s.num === null && day.estimates) {
      s = { num: Math.min(day.estimates[mark], day.estimates.scan), den: day.estimates.scan };
      over = "scan";
      about = "≈ ";
    }
    const parts = mark !== "iot_confirmed" ? [] : [["iot_payload", "payload_part"], ["iot_bot", "bot_part"]].map(([name, key]) => {
      const part = day.span.shares[name][b.marks].packets;
      return make("p", { class: "row" }, make("span", {}, markTip(name), " ", say(key)), make("span", {}, percent(part.num, part.den)));
    });
    const a = day.span.assessable && day.span.assessable[b.marks];
    if (mark === "iot_confirmed" && a && a.packets)
      parts.push(make("p", { class: "row" }, make("span", {}, tip(say("assessable"), say("assessable_says"), true)),
        make("span", {}, percent(a.packets.num, a.packets.den))));
    return make("div", { class: "card iot", "data-share": `${mark}/${b.marks}` },
      make("h3", {}, make("b", {}, say(mark)), markTip(mark)),
      make("p", { class: "big" }, percent(p.num, p.den)),
      make("p", {}, ofOver(b.marks)),
      make("div", { class: "meter" }, meter(p.num, p.den, "iot")),
      make("p", { class: "row" }, make("span", {}, say("by_packets")), make("span", { class: "frac" }, `${number(p.num)} / ${number(p.den)}`)),
      s.num === null ? null : make("p", { class: "row" }, make("span", {}, say("by_sources"), over !== b.marks ? [" ", say("of"), " ", overTip(over)] : null),
        make("span", {}, `${about}${percent(s.num, s.den)}`)),
      parts);
  }

  function figures() {
    const span = day.span, total = span.marks.total, list = [];
    const add = (name, big, under) => list.push(make("div", { class: "card small" }, make("h3", {}, name), make("p", { class: "big" }, big),
      make("p", { class: "dim" }, under)));
    add(say("packets"), number(total.packets), make("span", {}, "scan: ", number(span.marks.scan.packets)));
    const exact = total.sources !== null && total.sources !== undefined;
    add(say("sources"), exact ? number(total.sources) : day.estimates ? "≈ " + number(day.estimates.total) : "–",
      exact ? "scan: " + number(span.marks.scan.sources) : say("estimate"));
    const survey = span.survey_share && span.survey_share.total;
    add(say("survey"), survey ? percent(survey.num, survey.den) : "–", survey ? make("span", {}, ofOver("total")) :
      say("final") === "final" ? "known when the day is over" : "日次集計の確定後に判明");
    const per = span.coverage.packets_per_address;
    const known = per && per.absent === undefined && Number(per.address_days) > 0;
    add(say("per_address"), known ? (per.packets * per.days / per.address_days).toLocaleString("en-US", { maximumSignificantDigits: 4 }) : "–",
      known ? `${number(per.packets)} / ${number(per.address_days)}` : japanese ? "観測網の大きさが不明、または未確定" : "not known yet");
    return list;
  }

  function cards() {
    const b = basis();
    fill($("cards"), ["iot_strict", "iot_broad", "iot_confirmed"].map(mark => card(mark, b)));
    let more = $("figures");
    if (!more) {
      more = make("div", { class: "cards figures", id: "figures" });
      $("cards").after(more);
    }
    fill(more, figures());
  }

  /* Whom provisional shares leave out. */
  function basisText() {
    const b = day.span.survey_basis;
    if (!b || !b.first) return say("basis_none");
    return say("basis", b.first === b.last ? b.first : `${b.first}–${b.last}`);
  }

  function badges() {
    const span = day.span, isFinal = day.state === "final";
    const badge = (name, text) => make("span", { class: `badge ${name}` }, text);
    fill($("badges"), isFinal ? badge("good", say("final")) : badge("warn", tip(say("provisional"), basisText(), true)),
      isFinal ? badge(span.complete ? "good" : "warn", say(span.complete ? "complete" : "incomplete")) : null,
      span.exact ? null : badge("warn", say("inexact")), badge("", day.timezone), day.sensor ? badge("", day.sensor) : null);
    $("date").textContent = day.date;
    $("day-pick").value = day.date;
    $("day-before").disabled = !day.previous;
    $("day-after").disabled = !day.next;
    $("day-latest").disabled = date === null;
    document.title = `${day.date} · ${say("title")} · yamiscope`;
  }

  /* ---- tables */

  function categories() {
    const b = basis(), final = day.categories_by_port === null;
    const list = (final ? day.span.categories.map(c => ({ name: c.category, packets: c[b.rowKey] || 0, sources: range(c, b.rowSources) }))
      : day.categories_by_port.map(c => ({ name: c.category, packets: c.packets, sources: "" })))
      .filter(c => c.packets > 0).sort((x, y) => y.packets - x.packets);
    let next = 0;
    for (const c of list)
      c.color = c.name === "iot" ? IOT : c.name === "other" ? REST : PALETTE[next++ % PALETTE.length];
    return list;
  }

  const swatch = fillColor => make("span", { class: "swatch", "aria-hidden": "true" }, make("svg", { viewBox: "0 0 10 10" },
    make("rect", { width: 10, height: 10, rx: 3, fill: fillColor })));

  function categoryTable(list) {
    const b = basis(), final = day.categories_by_port === null;
    $("aims-note").textContent = say(final ? "aims_final" : "aims_provisional");
    table("table-categories", say("aims"), head([say("category")], [say("packets"), "n"], headOver(b.rows), final ? [say("sources"), "n late"] : ["", "late"]),
      list.slice(0, 12).map(c => make("tr", {}, make("th", { scope: "row" }, swatch(c.color), c.name), n(number(c.packets)),
        n(percent(c.packets, b.scan), { class: "n p" }), n(c.sources, { class: "n late" }))));
  }

  function changeCell(port, packets, scan) {
    const before = day.before;
    if (!before || before.ports[port] === undefined || !before.scan || !scan) return n("–", { class: "n absent" });
    if (before.ports[port] === 0) return n(say("new"), { class: "n up" });
    const points = (packets / scan - before.ports[port] / before.scan) * 100;
    const name = points >= 0.05 ? "up" : points <= -0.05 ? "down" : "same";
    const text = name === "same" ? "±0.0" : (points > 0 ? "+" : "−") + Math.abs(points).toFixed(1);
    return n([make("span", { "aria-hidden": "true" }, name === "up" ? "▲ " : name === "down" ? "▼ " : ""), text,
      make("span", { class: "off-screen" }, " " + say("points"))], { class: `n ${name}` });
  }

  function portTable() {
    const b = basis(), scan = day.span.marks.scan.packets, before = day.before;
    $("ports-note").textContent = before ? say("ports_note", before.date, say(before.state)) : say("ports_note_none");
    const most = Math.max(1, ...day.span.ports.map(p => p[b.rowKey] || 0));
    const rows = day.span.ports.filter(p => p[b.rowKey] > 0).sort((x, y) => (y[b.rowKey] || 0) - (x[b.rowKey] || 0)).map(p => {
      const name = `${p.proto}/${p.port}`, device = (day.devices[name] || ["", ""])[japanese ? 1 : 0];
      return make("tr", { "data-port": name }, make("th", { scope: "row", class: "port" },
        make("a", { href: `/api/v1/ports/${name}` }, name)),
      make("td", {}, p.iot !== "none" ? make("span", { class: "chip iot" }, p.iot === "strict" ? "IoT" : "IoT+") : make("span", { class: "chip" }, p.category),
        device ? make("span", { class: "sub" }, device) : null),
      n(number(p[b.rowKey] || 0)), n(percent(p[b.rowKey], b.scan), { class: "n p" }), changeCell(name, p.packets, scan),
      n(range(p, b.rowSources), { class: "n late" }), bar(p[b.rowKey], most, p.iot !== "none"));
    });
    const other = day.ports_other[b.rowKey];
    if (other > 0)
      rows.push(make("tr", { class: "other" }, make("th", { scope: "row", colspan: 2 }, say("other_ports")), n(number(other)),
        n(percent(other, b.scan)), make("td", { class: "n" }), make("td", { class: "late" }), make("td", { class: "b" })));
    table("table-ports", say("ports"), head([say("port")], [say("device")], [say("packets"), "n"], headOver(b.rows), [say("change"), "n"],
      [say("sources"), "n late"], ["", "b"]), rows);
  }

  function evidenceTable() {
    const b = basis(), list = day.span.rules_by_evidence.map(r => Object.assign({ count: r[b.rowKey] || 0 }, r)).filter(r => r.count > 0);
    const above = list.filter(r => r.evidence !== "port").sort((x, y) => y.count - x.count).slice(0, 8);
    const ports = list.filter(r => r.evidence === "port" && r.category === "iot").sort((x, y) => y.count - x.count).slice(0, 12 - above.length);
    table("table-evidence", say("evidence"), head([say("rule")], [say("evidence")], [say("packets"), "n"], headOver(b.rows)),
      [...above, ...ports].map(r => make("tr", {}, make("th", { scope: "row" }, r.rule),
        make("td", {}, make("span", { class: r.evidence === "port" ? "chip" : "chip iot" }, say("by_" + r.evidence))),
        n(number(r.count)), n(percent(r.count, b.scan), { class: "n p" }))));
  }

  function toolTable() {
    const total = day.span.marks.total.packets;
    const list = Object.entries(day.span.tools).map(([name, t]) => ({ name, t })).filter(x => x.t.matched.packets > 0)
      .sort((x, y) => y.t.matched.packets - x.t.matched.packets);
    table("table-tools", say("tools"), head([say("tool")], [say("matched"), "n"], headOver("total"), [say("sources"), "n late"]),
      list.map(({ name, t }) => make("tr", {}, make("th", { scope: "row" }, name), n(number(t.matched.packets)),
        n(percent(t.matched.packets, total), { class: "n p" }), n(day.estimates ? "≈ " + number(day.estimates[name]) : range(t.matched, "sources"), { class: "n late" }))));
  }

  function placeTables() {
    const b = basis(), span = day.span;
    const known = [...span.countries, ...span.ases].some(p => p.country || p.asn);
    $("places").hidden = !known;
    if (!known) return;
    const names = japanese ? "ja" : "en";
    let regions = null;
    try { regions = new Intl.DisplayNames([names], { type: "region" }); } catch { /* codes alone */ }
    const region = code => { try { return regions ? regions.of(code) : ""; } catch { return ""; } };
    const rows = (list, cell) => list.filter(p => p.scan[b.rowKey] > 0).sort((x, y) => y.scan[b.rowKey] - x.scan[b.rowKey]).slice(0, 10)
      .map(p => make("tr", {}, make("th", { scope: "row" }, cell(p)), n(number(p.scan[b.rowKey])),
        n(percent(p.scan[b.rowKey], b.scan), { class: "n p" }), n(percent(p.iot_broad[b.rowKey], p.scan[b.rowKey]), { class: "n late" })));
    const header = first => head([first], [say("packets"), "n"], headOver(b.rows), [japanese ? [markTip("iot_broad"), " % ／ 各行の ", overTip(b.rows)] : [markTip("iot_broad"), " % of its ", overTip(b.rows)], "n late"]);
    table("table-countries", say("countries"), header(say("country")), rows(span.countries, p => p.country ?
      [p.country, make("span", { class: "sub" }, region(p.country))] : say("unknown")));
    table("table-ases", say("ases"), header(say("as")), rows(span.ases, p => p.asn ?
      [make("a", { href: `/api/v1/sources/AS${p.asn}` }, `AS${p.asn}`), make("span", { class: "sub" }, p.name)] : say("unknown")));
  }

  function kindTable() {
    const total = day.span.marks.total.packets;
    const list = Object.entries(day.span.kinds).filter(([, k]) => k.packets > 0).sort((x, y) => y[1].packets - x[1].packets);
    table("table-kinds", say("kinds"), head([say("kind")], [say("meaning"), "late"], [say("packets"), "n"], headOver("total"), ["", "b"]),
      list.map(([name, k]) => make("tr", {}, make("th", { scope: "row" }, make("code", {}, name)),
        make("td", { class: "late" }, (words.kinds[name] || ["", ""])[japanese ? 1 : 0]),
        n(number(k.packets)), n(percent(k.packets, total), { class: "n p" }), bar(k.packets, total, false))));
  }

  /* ---- charts */

  const axis = text => ({ grid: { color: color("--line"), drawBorder: false }, ticks: { color: color("--dim"), maxRotation: 0, autoSkipPadding: 18, callback: undefined },
    title: { display: !!text, text, color: color("--dim") } });
  const counts = text => Object.assign(axis(text), { beginAtZero: true, ticks: { color: color("--dim"), callback: short } });
  const times = () => Object.assign(axis(""), { grid: { display: false, drawBorder: false }, ticks: { color: color("--dim"), maxRotation: 0, autoSkipPadding: 22 } });
  const legend = position => ({ position, labels: { color: color("--ink"), boxWidth: 11, boxHeight: 11, padding: 12 } });
  const options = more => Object.assign({ responsive: true, maintainAspectRatio: false, animation: false, interaction: { mode: "index", intersect: false } }, more);

  function draw(id, says, config) {
    const canvas = $(id), old = charts.get(id);
    if (old) old.destroy();
    canvas.setAttribute("aria-label", says);
    charts.set(id, new Chart(canvas, config));
    document.documentElement.dataset.charts = String(charts.size);
  }

  function pie(list) {
    const shown = list.filter((c, i) => i < 9 || c.name === "iot"), rest = list.filter(c => !shown.includes(c)).reduce((sum, c) => sum + c.packets, 0);
    const slices = rest > 0 ? [...shown, { name: say("other") + " …", packets: rest, color: "#c9d0d6" }] : shown;
    const b = basis();
    draw("chart-pie", say("pie_says", list.slice(0, 6).map(c => `${c.name} ${percent(c.packets, b.scan)}`).join(", ") + ` (${b.rows})`), { type: "doughnut",
      data: { labels: slices.map(c => c.name), datasets: [{ data: slices.map(c => c.packets), backgroundColor: slices.map(c => c.color),
        borderColor: color("--card"), borderWidth: 2 }] },
      options: options({ cutout: "58%", interaction: { mode: "nearest", intersect: true }, plugins: { legend: { display: false },
        tooltip: { callbacks: { label: c => ` ${c.label}: ${number(c.parsed)}, ${percent(c.parsed, b.scan)} ${say("of")} ${b.rows}` } } } }) });
  }

  function kindsChart(points, labels) {
    const names = day.points.kinds.map((name, i) => ({ name, i, sum: points.reduce((sum, p) => sum + p.kinds[i], 0) })).filter(k => k.sum > 0)
      .sort((x, y) => y.sum - x.sum);
    draw("chart-kinds", say("chart_says", say("packets_by_kind")), { type: "bar", data: { labels, datasets: names.map((k, at) => ({ label: k.name,
      data: points.map(p => p.kinds[k.i]), backgroundColor: PALETTE[at % PALETTE.length], stack: "all", barPercentage: 1, categoryPercentage: points.length > 40 ? 1 : .86 })) },
      options: options({ plugins: { legend: legend("bottom"), tooltip: { itemSort: (x, y) => y.raw - x.raw, filter: c => c.raw > 0,
        callbacks: { label: c => ` ${c.dataset.label}: ${number(c.parsed.y)}` } } },
        scales: { x: Object.assign(times(), { stacked: true }), y: Object.assign(counts(""), { stacked: true }) } }) });
  }

  const line = (label, data, stroke, dash) => ({ label, data, borderColor: stroke, backgroundColor: stroke, borderWidth: 2, borderDash: dash || [],
    pointRadius: data.length > 40 ? 0 : 2, pointHitRadius: 8, tension: 0, spanGaps: false });

  function timeCharts() {
    const points = day.points.at, labels = points.map(p => clock(p.start));
    $("time").hidden = points.length === 0;
    if (points.length === 0) return;
    kindsChart(points, labels);
    const of = name => day.points.source_marks.indexOf(name);
    draw("chart-sources", say("chart_says", say("sources_by_mark")), { type: "line", data: { labels, datasets: [
      line("total", points.map(p => p.sources[of("total")]), REST), line("scan", points.map(p => p.sources[of("scan")]), PALETTE[0]),
      line("iot_broad", points.map(p => p.sources[of("iot_broad")]), IOT)] },
      options: options({ plugins: { legend: legend("bottom"), tooltip: { callbacks: { label: c => ` ${c.dataset.label}: ≈ ${number(c.parsed.y)}` } } },
        scales: { x: times(), y: counts("") } }) });
    const ex = points.length > 0 && points.every(p => p.marks_ex), over = ex ? "scan_ex_survey" : "scan", at = day.points.marks;
    const share = (p, mark) => { const m = ex ? p.marks_ex : p.marks; return m[at.indexOf("scan")] ? m[at.indexOf(mark)] / m[at.indexOf("scan")] * 100 : null; };
    fill($("shares-over"), ofOver(over));
    draw("chart-shares", say("chart_says", say("shares_over_time") + " " + say("of") + " " + over), { type: "line", data: { labels, datasets: [
      line("iot_strict", points.map(p => share(p, "iot_strict")), IOT), line("iot_broad", points.map(p => share(p, "iot_broad")), IOT_LIGHT),
      line("iot_confirmed", points.map(p => share(p, "iot_confirmed")), PALETTE[1], [5, 4])] },
      options: options({ plugins: { legend: legend("bottom"), tooltip: { callbacks: { label: c => ` ${c.dataset.label}: ${c.parsed.y.toFixed(1)} % ${say("of")} ${over}` } } },
        scales: { x: times(), y: Object.assign(axis(`% ${say("of")} ${over}`), { beginAtZero: true }) } }) });
  }

  function liveChart() {
    $("live").hidden = windows.length === 0;
    if (windows.length === 0) return;
    const list = windows.filter(w => Number(w.start) >= Number(windows.length ? windows[windows.length - 1].start : 0) - 3600);
    const scan = w => w.marks.scan ? w.marks.scan.packets : 0, iot = w => w.marks.iot_broad ? w.marks.iot_broad.packets : 0;
    const data = (label, get, fillColor) => ({ label, data: list.map(get), backgroundColor: fillColor, stack: "all", barPercentage: 1, categoryPercentage: list.length > 40 ? .92 : .8 });
    draw("chart-live", say("chart_says", say("live")), { type: "bar", data: { labels: list.map(w => clock(Number(w.start))), datasets: [
      data("iot_broad", iot, IOT), data(say("other_scan"), w => scan(w) - iot(w), PALETTE[0]), data(say("not_scan"), w => w.packets - scan(w), "#c3cad1")] },
      options: options({ plugins: { legend: legend("bottom"), tooltip: { callbacks: { label: c => ` ${c.dataset.label}: ${number(c.parsed.y)}` } } },
        scales: { x: Object.assign(times(), { stacked: true }), y: Object.assign(counts(""), { stacked: true }) } }) });
    const last = list[list.length - 1];
    const s = last.shares.iot_broad.scan;
    fill($("now"), make("b", {}, number((last.packets / last.span_s).toFixed(1))), japanese ? " パケット/秒 · " : " packets/s · ", markTip("iot_broad"), " ",
      make("b", {}, s ? percent(s.num, s.den) : "–"), " ", ofOver("scan"));
  }

  /* ---- health */

  function ledgerRows(ledger) {
    return Object.entries(ledger.dropped).map(([name, value]) => make("tr", {}, make("th", { scope: "row" }, (words.drops[name] || [name, name])[japanese ? 1 : 0]),
      typeof value === "number" ? n(number(value), { class: value > 0 && name !== "filtered" ? "n bad" : "n" }) : n(say("unseen"), { class: "n absent" }),
      typeof value === "number" ? n(percent(value, ledger.offered)) : n("–", { class: "n absent" })));
  }

  function healthPart() {
    $("health").hidden = !health;
    if (!health) return;
    const live = health.capture, ledger = live ? live.ledger : health.feed.ledger;
    const lost = Object.entries(ledger.dropped).reduce((sum, [name, value]) => sum + (name === "filtered" || typeof value !== "number" ? 0 : value), 0);
    const fact = (name, value, state) => make("div", {}, make("b", { class: state || null }, value), name);
    $("health-note").textContent = health.healthy ? say(live ? "health_live" : "health_serving") : health.why;
    $("health-note").className = health.healthy ? "note" : "note bad";
    fill($("health-facts"), live ? fact(say("rate"), `${number(Math.round(live.rate_pps))} /s`) : null, fact(say("offered"), number(ledger.offered)),
      fact(say("observed"), number(ledger.observed)), fact(say("loss"), percent(lost, ledger.offered), lost > 0 ? "bad" : "ok"),
      health.feed.last_end ? fact(say("newest"), clock(Number(health.feed.last_end))) : null, fact(say("subscribers"), number(health.subscribers)));
    table("table-drops", say("reason"), head([say("reason")], [say("packets"), "n"], [japanese ? ["% ／ ", say("offered")] : ["% of offered"], "n"]), ledgerRows(ledger));
    $("table-sinks").hidden = health.sinks.length === 0;
    table("table-sinks", say("sink"), head([say("sink")], [say("state")], [say("lag"), "n"]), health.sinks.map(s => make("tr", {}, make("th", { scope: "row" }, s.name),
      make("td", { class: s.up ? "ok" : "bad" }, say(s.up ? "up" : "down")), n(s.lag_s === null ? "–" : `${s.lag_s.toFixed(1)} s`))));
  }

  function pulse() {
    const node = $("pulse");
    node.className = `pulse ${isOn ? "on" : "off"}`;
    $("pulse-text").textContent = !isOn ? say("broken") : lastWindow ? say("connected", `${clock(Number(lastWindow.start) + lastWindow.span_s)} ${day ? day.timezone : "UTC"}`) : say("waiting");
  }

  /* ---- all of it */

  function texts() {
    document.documentElement.lang = japanese ? "ja" : "en";
    for (const node of document.querySelectorAll("[data-say]")) node.textContent = say(node.dataset.say);
    for (const node of document.querySelectorAll("[data-label]")) {
      node.setAttribute("aria-label", say(node.dataset.label));
      if (node.tagName === "BUTTON") node.title = say(node.dataset.label);
    }
    $("say-en").setAttribute("aria-pressed", String(!japanese));
    $("say-ja").setAttribute("aria-pressed", String(japanese));
  }

  function footer() {
    if (!day) return;
    fill($("footer"), make("span", {}, `yamiscope ${day.program}`), make("a", { href: `/api/v1/days/${day.date}` }, say("data")),
      make("a", { href: `/api/v1/windows?since=${day.start}&until=${day.end}&limit=1440` }, say("windows")),
      isPublic ? make("a", { href: "/login" }, say("sign_in")) : null);
  }

  function dayPart() {
    if (!day) return;
    tips = 0;
    badges();
    cards();
    const list = categories();
    categoryTable(list);
    pie(list);
    timeCharts();
    portTable();
    evidenceTable();
    toolTable();
    placeTables();
    kindTable();
    footer();
    document.documentElement.dataset.day = `${day.date} ${day.seq}`;
  }

  function all() {
    texts();
    Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
    dayPart();
    liveChart();
    healthPart();
    pulse();
  }

  function trouble(text) {
    $("trouble").hidden = !text;
    $("trouble").textContent = text || "";
  }

  async function get(path) {
    const answer = await fetch(path);
    if (!answer.ok) {
      const body = await answer.text();
      let why = `${answer.status}`;
      try { why = JSON.parse(body).error || why; } catch { /* its code says it */ }
      throw new Error(why);
    }
    return answer.json();
  }

  async function load() {
    const mine = ++asked;
    try {
      const got = await get(`/api/v1/days/${date || "today"}`);
      if (mine !== asked) return; // another day was asked for meanwhile
      day = got;
      if (date === null) newest = day.date;
      trouble("");
      dayPart();
      liveChart();
      pulse();
    } catch (error) {
      if (mine === asked) trouble(say("failed", error.message));
    }
  }

  function go(to) {
    date = to === newest ? null : to;
    const url = new URL(location.href);
    if (date) url.searchParams.set("day", date); else url.searchParams.delete("day");
    history.replaceState(null, "", url);
    load();
  }

  /* Windows come often; the day is asked for again at most every few seconds. */
  function soon() {
    if (date !== null && day && day.next !== null) return;
    clearTimeout(pending);
    pending = setTimeout(load, 400);
  }

  function windowTake(w) {
    const at = windows.findIndex(x => x.start === w.start);
    if (at >= 0 && w.part > 0) return; // what came late stands in the day
    if (at >= 0) windows[at] = w; else windows.push(w);
    windows.sort((x, y) => Number(x.start) - Number(y.start));
    windows = windows.slice(-LIVE_MAX);
    lastWindow = windows[windows.length - 1];
  }

  function listen() {
    const source = new EventSource("/api/v1/live");
    source.addEventListener("open", () => { isOn = true; pulse(); });
    source.addEventListener("error", () => { isOn = false; pulse(); });
    source.addEventListener("window", event => {
      windowTake(JSON.parse(event.data));
      liveChart();
      pulse();
      soon();
    });
    source.addEventListener("day", soon);
    source.addEventListener("health", event => { health = JSON.parse(event.data); healthPart(); });
  }

  async function begin() {
    all();
    await load();
    isPublic = !!day && day.folded;
    try { health = isPublic ? null : await get("/api/v1/health"); } catch { /* what comes live has it, too */ }
    healthPart();
    footer();
    try {
      for (const w of (await get("/api/v1/windows?ports=0&limit=240")).windows) windowTake(w);
      liveChart();
    } catch { /* the chart stays empty until windows come */ }
    pulse();
    listen();
  }

  for (const [id, to] of [["say-en", false], ["say-ja", true]])
    $(id).addEventListener("click", () => {
      japanese = to;
      try { localStorage.setItem("lang", to ? "ja" : "en"); } catch { /* for this visit */ }
      all();
    });
  $("day-before").addEventListener("click", () => day && day.previous && go(day.previous));
  $("day-after").addEventListener("click", () => day && day.next && go(day.next));
  $("day-latest").addEventListener("click", () => { newest = null; date = null; go(null); });
  $("day-pick").addEventListener("change", event => event.target.value && go(event.target.value));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", all);
  begin();
})();
