/* The tables of what is aimed at, from where, and by what. */
const ROWS = 12;

function categories() {
  const b = basis(), final = day.categories_by_port === null;
  const list = (final ? day.span.categories.map(c => ({ name: c.category, packets: c[b.rowKey] || 0, of: c, sources: range(c, b.rowSources) }))
    : day.categories_by_port.map(c => ({ name: c.category, packets: c.packets, of: null, sources: "" })))
    .filter(c => c.packets > 0).sort((x, y) => y.packets - x.packets);
  let next = 0;
  for (const c of list)
    c.color = c.name === "iot" ? IOT : c.name === "other" ? REST : PALETTE[next++ % PALETTE.length];
  return list;
}

function categoryTable(list) {
  const b = basis(), final = day.categories_by_port === null;
  $("categories-note").textContent = final ? word("categories_note") : say("aims_provisional");
  table("table-categories", word("categories"), head([say("category")], [say("packets"), "n"], headOver(b.rows), final ? [say("sources"), "n late"] : ["", "late"]),
    list.map(c => make("tr", {}, make("th", { scope: "row", class: "port" }, swatch(c.color), c.name), n(number(c.packets)),
      n(percent(c.packets, b.scan), { class: "n p" }), n(c.sources, { class: "n late" }))), ROWS);
}

function changeCell(port, packets, scan) {
  const before = day.before;
  if (!before || before.ports[port] === undefined || !before.scan || !scan) return none();
  if (before.ports[port] === 0) return n(say("new"), { class: "n up" });
  const points = (packets / scan - before.ports[port] / before.scan) * 100;
  const name = points >= 0.05 ? "up" : points <= -0.05 ? "down" : "same";
  const text = name === "same" ? "±0.0" : (points > 0 ? "+" : "−") + Math.abs(points).toFixed(1);
  return n([make("span", { "aria-hidden": "true" }, name === "up" ? "▲ " : name === "down" ? "▼ " : ""), text,
    make("span", { class: "off-screen" }, " " + say("points"))], { class: `n ${name}` });
}

const portName = name => embedded ? name : make("a", { href: `/api/v1/ports/${name}` }, name);

function portRow(p, b, most, hasBefore) {
  const name = `${p.proto}/${p.port}`, device = said(day.devices[name]);
  return make("tr", { "data-port": name }, make("th", { scope: "row", class: "port" }, portName(name)),
    make("td", {}, p.iot !== "none" ? make("span", { class: "chip iot", title: say(p.iot === "strict" ? "chip_strict" : "chip_shared") },
      p.iot === "strict" ? "IoT" : "IoT+") : make("span", { class: "chip" }, p.category), device ? make("span", { class: "sub" }, device) : null),
    n(number(p[b.rowKey] || 0)), n(percent(p[b.rowKey], b.scan), { class: "n p" }),
    hasBefore ? changeCell(name, p.packets, day.span.marks.scan.packets) : null,
    n(range(p, b.rowSources), { class: "n late" }), bar(p[b.rowKey], most, p.iot !== "none"));
}

function portTable() {
  const b = basis(), before = day.before, hasBefore = !embedded, other = day.ports_other;
  const more = b.rowKey === "packets" ? other.ports : other.ports_ex_survey;
  $("ports-note").textContent = embedded ? word("ports_note") : before ? say("ports_note", before.date, word(before.state)) : say("ports_note_none");
  const list = day.span.ports.filter(p => p[b.rowKey] > 0).sort((x, y) => (y[b.rowKey] || 0) - (x[b.rowKey] || 0));
  const most = Math.max(1, ...list.map(p => p[b.rowKey]));
  const rows = list.map(p => portRow(p, b, most, hasBefore)), shown = embedded ? 0 : 15;
  if (other[b.rowKey] > 0)
    rows.push(make("tr", { class: "other" }, make("th", { scope: "row", colspan: 2 }, more ? say("more_ports", number(more)) : say("other_ports")),
      n(number(other[b.rowKey])), n(percent(other[b.rowKey], b.scan)), hasBefore ? make("td", { class: "n" }) : null, make("td", { class: "late" }), make("td", { class: "b" })));
  table("table-ports", say("ports"), head([say("port")], [say("device")], [say("packets"), "n"], headOver(b.rows), ...(hasBefore ? [[say("change"), "n"]] : []),
    [say("sources"), "n late"], ["", "b"]), rows, shown);
}

function evidenceTable() {
  const b = basis(), list = day.span.rules_by_evidence.map(r => Object.assign({ count: r[b.rowKey] || 0 }, r)).filter(r => r.count > 0);
  const order = (x, y) => y.count - x.count, above = list.filter(r => r.evidence !== "port").sort(order);
  const ports = list.filter(r => r.evidence === "port").sort((x, y) => (y.category === "iot") - (x.category === "iot") || order(x, y));
  const hasSources = list.some(r => range(r, b.rowSources) !== "–"), a = day.span.assessable && day.span.assessable[b.rows];
  $("assessable").hidden = !a || !a.packets;
  if (a && a.packets)
    fill($("assessable"), make("b", {}, word("assessable")), ` ${percent(a.packets.num, a.packets.den)} `, ofOver(b.rows),
      ` (${number(a.packets.num)} / ${number(a.packets.den)}): `, word("assessable_note"));
  table("table-evidence", word("evidence"), head([say("rule")], [say("evidence")], [say("packets"), "n"], headOver(b.rows), ...(hasSources ? [[say("sources"), "n late"]] : [])),
    [...above, ...ports].map(r => make("tr", {}, make("th", { scope: "row" }, r.rule, r.category === "iot" ? null : make("span", { class: "sub" }, r.category)),
      make("td", {}, make("span", { class: r.evidence === "port" ? "chip" : "chip iot" }, say("by_" + r.evidence))),
      n(number(r.count)), n(percent(r.count, b.scan), { class: "n p" }), hasSources ? n(range(r, b.rowSources), { class: "n late" }) : null)), ROWS);
}

function toolTable() {
  const total = day.span.marks.total.packets, hasUsers = Object.values(day.span.tools).some(t => t.used);
  const list = Object.entries(day.span.tools).map(([name, t]) => ({ name, t })).filter(x => x.t.matched.packets > 0)
    .sort((x, y) => y.t.matched.packets - x.t.matched.packets);
  const sources = (name, t) => day.estimates ? "≈ " + number(day.estimates[name]) : range(t.used || t.matched, "sources");
  table("table-tools", word("tools"), head([say("tool")], [say("matched"), "n"], headOver("total"), ...(hasUsers ? [[word("used"), "n"], headOver("total", "n late")] : []),
    [say("sources"), "n late"]),
    list.map(({ name, t }) => row(name, n(number(t.matched.packets)), n(percent(t.matched.packets, total), { class: "n p" }),
      hasUsers ? [n(number(t.used.packets)), n(percent(t.used.packets, total), { class: "n late" })] : null,
      n(sources(name, t), { class: "n late" }))));
}

function regionNames() {
  try {
    const names = new Intl.DisplayNames([japanese ? "ja" : "en"], { type: "region" });
    return code => { try { return names.of(code); } catch { return ""; } };
  } catch { return () => ""; } // codes alone
}

function placeTables() {
  const b = basis(), span = day.span, region = regionNames();
  const hasCountries = span.countries.some(p => p.country), hasAses = span.ases.some(p => p.asn);
  $("places").hidden = !hasCountries && !hasAses;
  $("countries").hidden = !hasCountries;
  $("ases").hidden = !hasAses;
  const rows = (list, cell) => list.filter(p => p.scan[b.rowKey] > 0).sort((x, y) => y.scan[b.rowKey] - x.scan[b.rowKey])
    .map(p => row(cell(p), n(number(p.scan[b.rowKey])), n(percent(p.scan[b.rowKey], b.scan), { class: "n p" }),
      n(percent(p.iot_strict[b.rowKey], p.scan[b.rowKey]), { class: "n late" }), n(range(p.scan, b.rowSources), { class: "n late" })));
  const header = first => head([first], [say("packets"), "n"], headOver(b.rows), [japanese ? [markTip("iot_strict"), " % ／ 各行の ", overTip(b.rows)]
    : [markTip("iot_strict"), " % of its ", overTip(b.rows)], "n late"], [say("sources"), "n late"]);
  table("table-countries", say("countries"), header(say("country")), rows(span.countries, p => p.country ?
    [p.country, make("span", { class: "sub" }, region(p.country))] : say("unknown")), ROWS);
  table("table-ases", say("ases"), header(say("as")), rows(span.ases, p => p.asn ?
    [embedded ? `AS${p.asn}` : make("a", { href: `/api/v1/sources/AS${p.asn}` }, `AS${p.asn}`), make("span", { class: "sub" }, p.name)] : say("unknown")), ROWS);
}

function kindTable() {
  const total = day.span.marks.total.packets, hasSources = day.span.days > 0;
  const list = Object.entries(day.span.kinds).filter(([, k]) => k.packets > 0).sort((x, y) => y[1].packets - x[1].packets);
  table("table-kinds", word("kinds"), head([say("kind")], [say("meaning"), "late"], [say("packets"), "n"], headOver("total"), ["", "b"],
    ...(hasSources ? [[say("sources"), "n late"]] : [])),
    list.map(([name, k]) => row(make("code", {}, name), make("td", { class: "late" }, said(words.kinds[name])),
      n(number(k.packets)), n(percent(k.packets, total), { class: "n p" }), bar(k.packets, total, false),
      hasSources ? n(range(k, "sources"), { class: "n late" }) : null)));
}

/* ---- the series as numbers */

function seriesRow(p, has) {
  const of = name => day.points.marks.indexOf(name), marks = has.ex ? p.marks_ex : p.marks;
  const share = name => marks ? n(percent(marks[of(name)], marks[of("scan")]), { class: "n p" }) : none(said(p.ex_absent));
  const sources = p.low !== undefined ? (p.low === p.high ? number(p.low) : `${number(p.low)}–${number(p.high)}`) : "≈ " + number(p.sources[0]);
  return row([p.label || clock(p.start), p.complete === false ? [" ", make("span", { class: "warn" }, word("incomplete"))] : null,
    p.partial ? [" ", make("span", { class: "warn" }, word("partial"))] : null],
    n(number(p.marks[of("total")])), n(sources),
    has.perAddress ? (p.per_address === null ? none() : n(p.per_address.toLocaleString("en-US", { maximumSignificantDigits: 4 }))) : null,
    has.survey ? (p.survey ? n(percent(p.survey.num, p.survey.den), { class: "n p" }) : none()) : null,
    share("iot_strict"), share("iot_broad"), has.basis ? (p.basis ? n(said(p.basis)) : none(said(p.ex_absent))) : null);
}

function seriesTable(points, over) {
  const has = { ex: over === "scan_ex_survey", perAddress: points.some(p => typeof p.per_address === "number"), survey: points.some(p => p.survey),
    basis: points.some(p => p.basis) };
  $("series-count").textContent = say("series_count", number(points.length));
  const of = (what, den, isPlain) => [isPlain ? what : markTip(what), " / ", overTip(den)];
  table("table-series", word("series"), head([word("span")], [say("packets"), "n"], [say("sources"), "n"], ...(has.perAddress ? [[say("per_address"), "n"]] : []),
    ...(has.survey ? [[of(word("survey_share"), "total", true), "n"]] : []), [of("iot_strict", over), "n"], [of("iot_broad", over), "n"],
    ...(has.basis ? [[word("survey_basis"), "n"]] : [])), points.map(p => seriesRow(p, has)));
  const b = day.points.basis, absent = day.points.absent;
  fill($("series-basis"), b ? make("p", { class: "note" }, said(b)) : null,
    absent ? make("p", { class: "note" }, make("code", {}, "_ex_survey"), ` ${word("absent")}${japanese ? "：" : ": "}${said(absent)}`) : null);
}
