/* All shares, whom they leave out, what was observed, and what all of it rests on. */
const OVERS = ["scan_ex_survey", "scan", "total_ex_survey", "total"];

function fraction(sources) {
  const part = name => sources[name] !== null && sources[name] !== undefined ? number(sources[name]) : `${number(sources[name + "_low"])}–${number(sources[name + "_high"])}`;
  return `${part("num")} / ${part("den")}`;
}

function shareRow(mark, over) {
  const share = day.span.shares[mark][over], attributes = { "data-share": `${mark}/${over}` };
  const first = make("td", { class: "over" }, japanese ? overTip(over) : ["of ", overTip(over)]);
  if (share.absent)
    return make("tr", attributes, first, make("td", { class: "absent", colspan: 5 }, `${word("absent")}${japanese ? "：" : ": "}${why(share.absent)}`));
  const p = share.packets, isAbout = share.sources.num === null && day.estimates && !over.endsWith("_ex_survey");
  const s = isAbout ? { num: Math.min(day.estimates[mark], day.estimates[over]), den: day.estimates[over] } : share.sources;
  const isExact = s.num !== null && s.den !== null;
  return make("tr", attributes, first, n([p.den ? sign(over, false) : "", percent(p.num, p.den)], { class: "n p" }), bar(p.num, p.den, true),
    n(`${number(p.num)} / ${number(p.den)}`, { class: "n dim" }),
    isExact ? n([isAbout ? "≈ " : s.den ? sign(over, true) : "", percent(s.num, s.den)], { class: "n p" }) : n("–"), n([isAbout ? "≈ " : "", fraction(s)], { class: "n dim" }));
}

/* Belongs to iot_confirmed: what is not assessable can't be confirmed. */
function assessableRow() {
  const b = basis(), a = day.span.assessable && day.span.assessable[b.rows];
  if (!a || !a.packets) return null;
  return make("tr", {}, make("td", { class: "over" }, word("assessable"), japanese ? " ／ " : " of ", overTip(b.rows)),
    n(percent(a.packets.num, a.packets.den), { class: "n p" }), bar(a.packets.num, a.packets.den, false),
    n(`${number(a.packets.num)} / ${number(a.packets.den)}`, { class: "n dim" }), make("td", { colspan: 2 }));
}

function shareTable() {
  const header = head([word("denominator")], [word("by_packets"), "n"], ["", "b"], [word("num_den"), "n"], [word("by_sources"), "n"], [word("num_den"), "n"]);
  fill($("table-shares"), make("caption", { class: "off-screen" }, word("shares")), header, Object.keys(day.span.shares).map(mark =>
    make("tbody", {}, make("tr", { class: "group" }, make("th", { scope: "rowgroup", colspan: 6 }, make("div", { class: "group-head" },
      make("code", {}, mark), " ", make("span", { class: "def" }, said(words.numerators[mark]))))),
    OVERS.map(over => shareRow(mark, over)), mark === "iot_confirmed" ? assessableRow() : null)));
  $("survey-basis").hidden = !day.said.basis;
  $("survey-basis").textContent = said(day.said.basis);
  const total = day.span.marks.total;
  $("bounds").hidden = total.sources !== null && total.sources !== undefined;
}

/* ---- who was taken out */

function classRow(name, c) {
  if (!c)
    return row(name, make("td", { class: "absent", colspan: 5 }, `${word("absent")}${japanese ? "：" : ": "}${said(day.said.ex_absent)}`));
  const total = day.span.marks.total.packets, scan = day.span.marks.scan.packets;
  return row(name, n(number(c.packets)), n(percent(c.packets, total), { class: "n p" }), bar(c.packets, total, false),
    n(percent(c.scan_packets, scan), { class: "n p" }), n(range(c, "sources")));
}

function members(id, name, list) {
  const node = $(id), total = day.span.marks.total.packets;
  node.hidden = list.length === 0;
  node.firstElementChild.textContent = `${name} × ${number(list.length)}`;
  table("table-" + id, name, head([name], [say("packets"), "n"], headOver("total"), [say("sources"), "n"]), list.map(m =>
    row(m.name, n(number(m.packets)), n(percent(m.packets, total), { class: "n p" }), n(range(m, "sources")))), 50);
}

function surveyPart() {
  const span = day.span, c = span.classes;
  $("survey").hidden = span.days === 0;
  if (span.days === 0) return;
  $("no-lists").hidden = span.basis.lists.length > 0;
  table("table-survey", word("survey"), head([word("class")], [say("packets"), "n"], headOver("total"), ["", "b"], headOver("scan"), [say("sources"), "n"]),
    [classRow(word("class_survey"), c.survey), classRow(word("class_acknowledged"), c.acknowledged), classRow(word("class_bogon"), c.bogon),
      classRow(word("class_conflict"), c.survey_conflict)]);
  members("organisations", word("organisations"), span.organisations);
  members("blocks", word("blocks"), span.bogon_blocks);
}

/* ---- coverage */

const term = (name, ...text) => [make("dt", {}, name), make("dd", {}, text)];

function telescopeText(t) {
  const id = t.id === "" ? word("no_id") : t.id;
  return `${id}${japanese ? "：" : ": "}${!t.configured ? word("size_unknown") : t.ipv4 === 0 ? word("ipv6_alone") : `${number(t.ipv4)} ${word("addresses")}`}`;
}

function perAddressTerms() {
  const s = day.said;
  if (!s.per_address) return term(word("per_address"), said(s.size_absent) || say("not_known"));
  return [term(word("per_address"), said(s.per_address), s.per_address_ex ? [make("br"), make("code", {}, "_ex_survey"), " ", said(s.per_address_ex)] : null),
    s.full_days ? term(word("per_address_full"), said(s.full_days)) : null];
}

function gapsPart() {
  const o = day.outages, gaps = $("gaps"), count = o.gaps.length + o.gaps_more;
  gaps.hidden = o.gaps.length === 0;
  gaps.open = gaps.open || o.gaps.length <= 10;
  gaps.firstElementChild.textContent = say("gaps_count", number(count));
  const bySensor = o.gaps.some(g => g.sensor);
  table("table-gaps", word("outages"), head([say("gap_from")], [say("gap_to")], [say("gap_length"), "n"], [say("gap_why")], ...(bySensor ? [[word("sensors")]] : [])),
    o.gaps.map(g => row(moment(g.start), make("td", {}, moment(g.end)), n(length(g.end - g.start)),
      make("td", {}, said(g.said), g.windows ? ` (${say("gap_windows", number(g.windows))})` : ""), bySensor ? make("td", {}, g.sensor) : null)), 50);
}

/* What was not watched, and what was given up meanwhile. */
function outageTerms() {
  const o = day.outages, g = o.given_up, count = o.gaps.length + o.gaps_more;
  const counted = (name, value, of) => value ? term(name, make("span", { class: "warn" }, of ? `${number(value)} / ${number(of)}` : number(value))) : null;
  return [term(word("outages"), o.windows === 0 ? word(embedded && day.report.has_outages === false ? "outages_unread" : "no_windows")
    : count === 0 ? word("outages_none") : make("span", { class: "warn" }, say("gaps_badge", number(count), length(o.missing_s || 0)))),
  counted(word("partial"), o.partial, o.windows), counted(word("recorder"), g.recorder_packets), counted(word("unwritten"), g.windows),
  counted(say("events_given_up"), g.events)];
}

function flawsPart() {
  if (!embedded) return;
  const list = day.span.incomplete, node = $("incomplete");
  node.hidden = list.length === 0;
  if (node.hidden) return;
  node.open = node.open || list.length <= 10;
  node.firstElementChild.textContent = `${word("incomplete_days")} × ${number(list.length)}`;
  table("table-incomplete", word("incomplete_days"), head([word("date")], [word("observed"), "n"], [[word("lost"), " % ／ ", say("offered")], "n"], [word("state")]),
    list.map((f, i) => row(f.date, n(day.said.flaws[i].observed), n(percent(f.lost, f.offered), { class: "n p" }),
      make("td", {}, word(f.incomplete ? "incomplete" : "complete"), day.said.flaws[i].given_up ? `; ${said(day.said.flaws[i].given_up)}` : ""))), 50);
}

function coveragePart() {
  const span = day.span, c = span.coverage;
  fill($("coverage-facts"),
    span.days > 0 && embedded ? term(word("days"), say("days_of", number(span.days), number(span.calendar_days))) : null,
    span.days > 0 ? term(word("observed"), day.said.observed) : null,
    term(word("lost"), `${percent(c.lost, c.offered)} ${say("of_offered")} (${number(c.lost)} / ${number(c.offered)})`),
    perAddressTerms(), c.telescopes.map(t => term(word("telescope"), telescopeText(t))), outageTerms());
  gapsPart();
  flawsPart();
}

/* ---- basis */

function ledgerText(ledger) {
  const parts = Object.keys(words.drops).filter(name => ledger[name] !== undefined).map(name =>
    `${said(words.drops[name])} ${typeof ledger[name] === "number" ? number(ledger[name]) : say("unseen")}`).join(japanese ? "、" : ", ");
  return say("ledger_text", number(ledger.offered), number(ledger.observed), parts);
}

/* A database's version is when it was built, in seconds since 1970. */
const built = version => /^\d{1,12}$/.test(version) ? new Date(version * 1000).toISOString().slice(0, 10) : version;

function basisTerms(name, list, isDatabase) {
  return list.map(b => term(name, `${b.name} ${isDatabase ? built(b.version) : b.version}`, b.sha256 ? [" ", make("code", { class: "hash" }, b.sha256)] : null,
    b.days ? ` · ${say(b.days === 1 ? "days_one" : "days_count", number(b.days))}` : null));
}

function basisPart() {
  const span = day.span, b = span.basis, s = b.survey_settings, own = embedded ? day.report : null;
  fill($("basis-facts"), term(word("ledger"), ledgerText(span.ledger)),
    basisTerms(word("rules_computed"), b.computed), basisTerms(word("rules_labelled"), b.labelled), basisTerms(word("lists"), b.lists),
    basisTerms(word("databases"), b.databases, true), basisTerms(word("sensors"), b.sensors),
    s ? term(word("survey_settings"), `min_ports ${s.min_ports}, min_packets ${s.min_packets}, packets_per_address ${(s.packets_per_address_milli / 1000).toFixed(3)}; ` +
      `IPv6 /64: min_ports ${s.min_ports6}, min_packets ${s.min_packets6}`) : null,
    own ? term(word("rules_in_force"), `${own.rules.name} ${own.rules.version} `, make("code", { class: "hash" }, own.rules.sha256)) : null,
    own ? own.damaged.map(d => term(word("damaged"), `${d.file}: ${d.place}${d.what}`)) : null);
}

function definitionsPart() {
  const list = all => Object.entries(all).map(([name, text]) => [make("dt", {}, make("code", {}, name)), make("dd", {}, said(text))]);
  fill($("definitions-list"), list(words.denominators), list(words.numerators));
}
