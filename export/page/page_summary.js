/* The first look: title, state, the few numbers first. */

function card(mark, b) {
  const share = day.span.shares[mark][b.marks], p = share.packets;
  let s = share.sources, over = b.marks, about = sign(over, true);
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
    parts.push(make("p", { class: "row" }, make("span", {}, tip(say("assessable"), word("assessable_note"), true)),
      make("span", {}, percent(a.packets.num, a.packets.den))));
  return make("div", { class: "card iot", "data-share": `${mark}/${b.marks}` },
    make("h3", {}, make("b", {}, say(mark)), markTip(mark)),
    make("p", { class: "big" }, p.den ? sign(b.marks, false) : "", percent(p.num, p.den)),
    make("p", {}, ofOver(b.marks)),
    make("div", { class: "meter" }, meter(p.num, p.den, "iot")),
    make("p", { class: "row" }, make("span", {}, say("by_packets")), make("span", { class: "frac" }, `${number(p.num)} / ${number(p.den)}`)),
    s.num === null ? null : make("p", { class: "row" }, make("span", {}, say("by_sources"), over !== b.marks ? [" ", say("of"), " ", overTip(over)] : null),
      make("span", {}, `${about}${percent(s.num, s.den)}`)),
    parts);
}

function figure(name, big, ...under) {
  return make("div", { class: "card small" }, make("h3", {}, name), make("p", { class: "big" }, big), make("p", { class: "dim" }, under));
}

function figures() {
  const span = day.span, total = span.marks.total, scan = span.marks.scan, survey = span.survey_share && span.survey_share.total;
  const per = span.coverage.packets_per_address, known = per && per.absent === undefined && Number(per.address_days) > 0;
  const sources = total.sources !== null && total.sources !== undefined ? number(total.sources)
    : day.estimates ? "≈ " + number(day.estimates.total) : range(total, "sources");
  return [
    figure(say("packets"), number(total.packets), make("span", {}, overTip("scan"), ` ${number(scan.packets)}`)),
    figure(say("sources"), sources, day.estimates ? say("estimate") : [overTip("scan"), ` ${range(scan, "sources")}`]),
    figure(say("survey"), survey ? percent(survey.num, survey.den) : "–", survey ? make("span", {}, ofOver("total"))
      : day.said.ex_absent ? said(day.said.ex_absent) : say("survey_later")),
    figure(say("per_address"), known ? (per.packets * per.days / per.address_days).toLocaleString("en-US", { maximumSignificantDigits: 4 }) : "–",
      known ? say("per_address_of", number(per.packets), (per.address_days / per.days).toLocaleString("en-US", { maximumFractionDigits: 1 })) : said(day.said.size_absent) || say("not_known")),
  ];
}

function cards() {
  const b = basis();
  fill($("cards"), ["iot_strict", "iot_broad", "iot_confirmed"].map(mark => card(mark, b)));
  fill($("figures"), figures());
}

/* Whom provisional shares leave out. */
const basisText = () => said(day.said.basis) || say("basis_none");

function badges() {
  const span = day.span, isFinal = day.state === "final", gaps = day.outages.gaps.length + day.outages.gaps_more;
  const badge = (name, ...text) => make("span", { class: `badge ${name}` }, text);
  fill($("badges"), isFinal ? badge("good", word("final")) : badge("warn", tip(word("provisional"), basisText(), true)),
    isFinal ? badge(span.complete ? "good" : "warn", word(span.complete ? "complete" : "incomplete")) : null,
    embedded && span.days > 0 ? badge("", say("days_of", number(span.days), number(span.calendar_days))) : null,
    span.mixed ? badge("warn", word("mixed")) : null, span.exact ? null : badge("warn", word("inexact")),
    span.restated_days > 0 ? badge("warn", word("restated")) : null,
    gaps > 0 ? badge("warn", make("a", { href: "#coverage" }, say("gaps_badge", number(gaps), length(day.outages.missing_s || 0)))) : null,
    badge("", day.timezone), day.sensor ? badge("", day.sensor) : null);
}

function heading() {
  const label = embedded ? day.label.replace("/", " – ") : day.date;
  $("title").textContent = embedded ? word("report") : say("title");
  $("date").textContent = label;
  document.title = `${label} · ${embedded ? word("report") : say("title")} · yamiscope`;
  badges();
  const notes = [];
  if (day.said.given_up) notes.push(`${said(day.said.given_up)}${japanese ? "。" : ". "}${word("inexact_note")}`);
  if (embedded) for (const note of day.report.notes) notes.push(said(note));
  fill($("notes"), notes.map(note => make("li", {}, note)));
  $("notes").hidden = notes.length === 0;
  if (embedded) return;
  $("days").hidden = false;
  $("day-pick").value = day.date;
  $("day-before").disabled = !day.previous;
  $("day-after").disabled = !day.next;
  $("day-latest").disabled = date === null;
}

function footer() {
  if (!day) return;
  fill($("footer"), make("span", {}, `yamiscope ${day.program}`), embedded ? null : [
    make("a", { href: `/api/v1/days/${day.date}` }, say("data")),
    make("a", { href: `/api/v1/windows?since=${day.start}&until=${day.end}&limit=1440` }, say("windows")),
    isPublic ? make("a", { href: "/login" }, say("sign_in")) : null]);
}
