/* Events of the day: a list, and marks on the time series. Who may not see addresses gets counts by hour. */
const EVENT_ROWS = 20, EVENT_MOST = 5000, MARKED = ["new_activity", "dos", "amplification", "watched"];
let events = { rows: [], isFolded: false, isMore: false };

const eventTime = text => text ? Date.parse(text.replace(/(\.\d{3})\d*Z$/, "$1Z")) / 1000 : NaN;
const eventPort = e => e.port !== null ? `${e.proto}/${e.port}` : e.proto || "";

const stamp = at => moment(at).slice(0, 16).split(" ").flatMap(part => [" ", make("span", { class: "whole" }, part)]).slice(1);

function eventWords(e) {
  const tool = Object.entries(e.tools).find(([, packets]) => packets > e.packets / 2);
  if (e.watched) return `${e.watched.organisation || ""}: ${say("event_" + e.watched.reason)}`;
  if (e.infected) return `${say("event_" + e.infected.state)}: ${e.infected.reason || ""}${e.infected.new ? ", " + say("new") : ""}`;
  if (e.indicator) return e.indicator.value;
  if (e.new_activity) return [eventPort(e), e.new_activity.series, e.new_activity.score.toFixed(1), e.new_activity.never_seen ? say("event_never_seen") : ""].filter(Boolean).join(", ");
  if (e.ports.length) return `${e.ports[0].proto}/${e.ports[0].port}${e.port_count > 1 ? ` +${e.port_count - 1}` : ""}`;
  return [eventPort(e), tool ? tool[0] : ""].filter(Boolean).join(", ");
}

function eventRow(e) {
  const first = eventTime(e.first), isOpen = e.phase !== "end";
  return make("tr", { "data-event": e.id }, make("th", { scope: "row" }, stamp(first)),
    n([length(Math.max(0, eventTime(e.last) - first)), isOpen ? make("span", { class: "chip iot", title: say("event_open") }, "+") : null]),
    make("td", {}, make("span", { class: "chip" }, say("event_" + e.type)), make("span", { class: "sub" }, eventWords(e))),
    make("td", {}, e.address ? make("a", { href: `/api/v1/sources/${e.address}` }, e.address) : ""),
    n(number(e.packets)), n(e.rate ? say("per_second", number(e.rate.value >= 10 ? Math.round(e.rate.value) : e.rate.value.toFixed(1))) : "–", { class: e.rate ? "n late" : "n late absent", title: e.rate_absent }),
    make("td", { class: "late" }, [e.country, e.asn ? `AS${e.asn}` : "", e.organisation].filter(Boolean).join(" ")));
}

const foldedRow = e => make("tr", {}, make("th", { scope: "row" }, stamp(eventTime(e.hour))), make("td", {}, make("span", { class: "chip" }, say("event_" + e.type))),
  make("td", {}, e.proto === undefined ? say("other_ports") : eventPort(e)), n(number(e.events)));

function eventsPart() {
  if (embedded) return;
  const rows = events.rows;
  $("events").hidden = rows.length === 0;
  if (rows.length === 0) return;
  $("events-note").textContent = say(events.isFolded ? "events_folded" : "events_note") + (events.isMore ? " " + say("events_more", number(EVENT_MOST)) : "");
  if (events.isFolded)
    table("table-events", say("events"), head([say("hour")], [say("event")], [say("port")], [say("events"), "n"]), rows.map(foldedRow), EVENT_ROWS);
  else
    table("table-events", say("events"), head([say("began")], [say("lasted"), "n"], [say("event")], [say("address")], [say("packets"), "n"], [say("event_rate"), "n late"], [say("from"), "late"]),
      rows.map(eventRow), EVENT_ROWS);
}

/* ---- marks on the time series */

/* Events that begin in a column of the chart; a scan is no mark: there are too many. */
function eventsAt(points) {
  const step = day.points.seconds, at = points.map(() => []);
  if (embedded || !step || points.length === 0) return at;
  for (const e of events.rows) {
    const i = Math.floor((eventTime(e.first || e.hour) - points[0].start) / step);
    if (MARKED.includes(e.type) && at[i]) at[i].push(e);
  }
  return at;
}

const markWords = list => list.slice(0, 6).map(e => ` ▾ ${say("event_" + e.type)} ${e.hour ? `${eventPort(e)} × ${e.events}` : [e.address, eventWords(e)].filter(Boolean).join(" ")}`)
  .concat(list.length > 6 ? [` … ${list.length - 6}`] : []);

const marks = { id: "marks", afterDatasetsDraw(chart, _, plugin) {
  const x = chart.scales.x, top = chart.chartArea.top;
  if (!plugin.at) return;
  chart.ctx.save();
  plugin.at.forEach((list, i) => {
    if (list.length === 0) return;
    const middle = x.getPixelForValue(i);
    chart.ctx.fillStyle = list.some(e => e.type === "new_activity") ? IOT : color("--ink");
    chart.ctx.beginPath();
    chart.ctx.moveTo(middle - 5, top);
    chart.ctx.lineTo(middle + 5, top);
    chart.ctx.lineTo(middle, top + 8);
    chart.ctx.fill();
  });
  chart.ctx.restore();
} };
Chart.register(marks);

/* The day's events, newest first. Where they can't be had the page is without. */
async function eventsLoad(of) {
  if (embedded || !of) return;
  const got = { rows: [], isFolded: false, isMore: false, date: of.date };
  try {
    const iso = seconds => new Date(seconds * 1000).toISOString().slice(0, 19) + "Z";
    const answer = await get(`/api/v1/events?since=${iso(Number(of.start))}&until=${iso(Number(of.end))}` + (of.folded ? "" : `&newest=1&limit=${EVENT_MOST}`));
    got.isFolded = answer.min_sources !== undefined;
    got.isMore = answer.earlier > 0;
    got.rows = got.isFolded ? answer.events.concat(answer.other) : answer.events;
    got.rows.sort((a, b) => eventTime(b.first || b.hour) - eventTime(a.first || a.hour));
  } catch { /* none are shown */ }
  if (of !== day) return;
  events = got;
  eventsPart();
  timePart();
}
