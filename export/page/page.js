/* All of it: what is live, what was asked for, the languages. */
const LIVE_MAX = 3600, LIVE_SPAN = 3600, BARS = 120;
let pending = 0, asked = 0, liveAt = 0;

/* ---- the last hour */

/* Windows of a second would be 3,600 bars: neighbours stand together. */
function liveBars() {
  const end = windows.length ? Number(windows[windows.length - 1].start) : 0;
  const list = windows.filter(w => Number(w.start) > end - LIVE_SPAN);
  if (list.length === 0) return [];
  const span = list[0].span_s, step = span * Math.max(1, Math.ceil((end + span - Number(list[0].start)) / span / BARS));
  const bars = new Map();
  for (const w of list) {
    const at = Math.floor(Number(w.start) / step) * step, b = bars.get(at) || { start: at, packets: 0, scan: 0, iot: 0, partial: false };
    b.packets += w.packets;
    b.scan += w.marks.scan ? w.marks.scan.packets : 0;
    b.iot += w.marks.iot_broad ? w.marks.iot_broad.packets : 0;
    b.partial = b.partial || w.partial;
    bars.set(at, b);
  }
  const first = Math.min(...bars.keys()), last = Math.max(...bars.keys()), all = [];
  for (let at = first; at <= last + step / 2 && all.length < 2 * BARS; at += step) all.push(bars.get(at) || { start: at, isMissing: true });
  return all;
}

function liveChart() {
  if (embedded) return;
  const list = liveBars(), last = windows[windows.length - 1];
  $("live").hidden = list.length === 0;
  if (list.length === 0) return;
  const get = f => list.map(b => b.isMissing ? null : f(b));
  const data = (label, values, fillColor) => ({ label, data: values, backgroundColor: fillColor, stack: "all", barPercentage: 1, categoryPercentage: list.length > 40 ? .92 : .8 });
  const isShort = list.length > 1 && list[1].start - list[0].start < 60;
  draw("chart-live", say("chart_says", say("live")), { type: "bar", data: { labels: list.map(b => clock(b.start, isShort ? { second: "2-digit" } : {})), datasets: [
    data("iot_broad", get(b => b.iot), IOT), data(say("other_scan"), get(b => b.scan - b.iot), PALETTE[0]), data(say("not_scan"), get(b => b.packets - b.scan), FAINT)] },
  options: options({ plugins: { shade: { shaded: i => list[i].isMissing || list[i].partial, color: color("--gap") }, legend: legend("bottom"),
    tooltip: { callbacks: { label: c => ` ${c.dataset.label}: ${number(c.parsed.y)}` } } },
  scales: { x: Object.assign(times(), { stacked: true }), y: Object.assign(counts(""), { stacked: true }) } }) });
  const s = last.shares.iot_broad.scan;
  fill($("now"), make("b", {}, number((last.packets / last.span_s).toFixed(1))), japanese ? " パケット/秒 · " : " packets/s · ", markTip("iot_broad"), " ",
    make("b", {}, s ? percent(s.num, s.den) : "–"), " ", ofOver("scan"));
}

/* ---- health */

function ledgerRows(ledger) {
  return Object.entries(ledger.dropped).map(([name, value]) => row(said(words.drops[name]) || name,
    typeof value === "number" ? n(number(value), { class: value > 0 && name !== "filtered" ? "n bad" : "n" }) : n(say("unseen"), { class: "n absent" }),
    typeof value === "number" ? n(percent(value, ledger.offered)) : none()));
}

function healthPart() {
  if (embedded) return;
  $("health").hidden = !health;
  if (!health) return;
  const live = health.capture, ledger = live ? live.ledger : health.feed.ledger;
  const lost = Object.entries(ledger.dropped).reduce((sum, [name, value]) => sum + (name === "filtered" || typeof value !== "number" ? 0 : value), 0);
  const fact = (name, value, state) => make("div", {}, make("b", { class: state || null }, value), name);
  const since = !live && health.feed.since ? ` ${say("health_since", `${when(Number(health.feed.since))} ${zone()}`)}` : "";
  $("health-note").textContent = health.healthy ? say(live ? "health_live" : "health_serving") + since : health.why;
  $("health-note").className = health.healthy ? "note" : "note bad";
  fill($("health-facts"), live ? fact(say("rate"), say("per_second", number(Math.round(live.rate_pps)))) : null, fact(say("offered"), number(ledger.offered)),
    fact(say("observed"), number(ledger.observed)), fact(say("loss"), percent(lost, ledger.offered), lost > 0 ? "bad" : "ok"),
    live && live.given_up ? fact(say("given_up"), number(live.given_up), "bad") : null,
    health.feed.last_end ? fact(say("newest"), when(Number(health.feed.last_end))) : null, fact(say("subscribers"), number(health.subscribers)));
  table("table-drops", say("reason"), head([say("reason")], [say("packets"), "n"], [japanese ? ["% ／ ", say("offered")] : ["% of offered"], "n plain"]), ledgerRows(ledger));
  $("table-sinks").hidden = health.sinks.length === 0;
  table("table-sinks", say("sink"), head([say("sink")], [say("state")], [say("lag"), "n"]), health.sinks.map(s => row(s.name,
    make("td", { class: s.up ? "ok" : "bad" }, say(s.up ? "up" : "down")), n(s.lag_s === null ? "–" : say("seconds", s.lag_s.toFixed(1))))));
}

/* A feed that is finished, or whose capture stopped, is not live, however well it is served. The public is told late. */
const SILENT = 600, SILENT_PUBLIC = 7200;

function pulse() {
  if (embedded) return;
  const end = lastWindow ? Number(lastWindow.start) + lastWindow.span_s : 0, age = Date.now() / 1000 - end, at = `${when(end)} ${zone()}`;
  const isOld = isOn && lastWindow !== null && age > (isPublic ? SILENT_PUBLIC : SILENT) + 2 * lastWindow.span_s;
  const text = !isOn ? say("broken") : !lastWindow ? say("waiting") : isOld ? say("connected_old", at, ago(age)) : say("connected", at);
  $("pulse").className = `pulse ${isOn ? "on" : "off"}${isOld ? " old" : ""}`;
  if ($("pulse-text").textContent !== text) $("pulse-text").textContent = text; // said aloud when it changes
}

/* ---- all of it */

function texts() {
  document.documentElement.lang = japanese ? "ja" : "en";
  for (const node of document.querySelectorAll("[data-say]")) node.textContent = say(node.dataset.say);
  for (const node of document.querySelectorAll("[data-word]")) node.textContent = word(node.dataset.word);
  for (const node of document.querySelectorAll("[data-label]")) {
    node.setAttribute("aria-label", say(node.dataset.label));
    if (node.tagName === "BUTTON") node.title = say(node.dataset.label);
  }
  $("say-en").setAttribute("aria-pressed", String(!japanese));
  $("say-ja").setAttribute("aria-pressed", String(japanese));
}

function dayPart() {
  $("body").hidden = !day;
  if (!day) return;
  tips = 0;
  heading();
  cards();
  const list = categories();
  categoryTable(list);
  pie(list);
  categorySources(list);
  overlapping();
  eventsPart();
  timePart();
  portTable();
  evidenceTable();
  toolTable();
  placeTables();
  kindTable();
  shareTable();
  surveyPart();
  coveragePart();
  basisPart();
  definitionsPart();
  footer();
  document.documentElement.dataset.day = `${day.date || day.label} ${day.seq}`;
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

/* No day is shown: what was asked for is not there. The way to one that is stays open. */
function astray() {
  $("days").hidden = false;
  $("day-pick").value = date || "";
  $("day-before").disabled = $("day-after").disabled = true;
  $("day-latest").disabled = date === null;
}

async function get(path) {
  const answer = await fetch(path);
  if (!answer.ok) {
    const body = await answer.text();
    let reason = `${answer.status}`;
    try { reason = JSON.parse(body).error || reason; } catch { /* its code says it */ }
    throw new Error(reason);
  }
  return answer.json();
}

/* A definition that is being read stays: the page is made anew behind it. */
const isRead = () => document.activeElement && document.activeElement.closest(".tip") !== null || document.querySelector(".tip:hover") !== null;

async function load(isAsked) {
  const mine = ++asked;
  try {
    const got = await get(`/api/v1/days/${date || "today"}?top=30`);
    if (mine !== asked) return; // another day was asked for meanwhile
    day = got;
    if (date === null) newest = day.date;
    if (!events.rows.length || events.date !== got.date) events = { rows: [], isFolded: false, isMore: false };
    trouble("");
    dayPart();
    eventsLoad(got);
    liveChart();
    pulse();
  } catch (error) {
    if (mine === asked) trouble(say("failed", error.message));
    if (mine === asked && !day) astray();
    if (isAsked) soon(5000);
  }
}

function go(to) {
  date = to === newest ? null : to;
  const url = new URL(location.href);
  if (date) url.searchParams.set("day", date); else url.searchParams.delete("day");
  history.replaceState(null, "", url);
  opened.clear();
  load(true);
}

/* Windows come often; the day is asked for again at most every few seconds, and not while nobody looks. */
function soon(ms) {
  if (date !== null && day && day.next !== null) return;
  if (pending !== 0 || document.hidden) return;
  const since = Date.now() - liveAt;
  pending = setTimeout(() => {
    pending = 0;
    if (isRead()) {
      soon(2000);
      return;
    }
    liveAt = Date.now();
    load(false);
  }, Math.max(ms, 2000 - since));
}

function windowTake(w) {
  const at = windows.findIndex(x => x.start === w.start);
  if (at >= 0 && w.part > 0) return; // what came late stands in the day
  if (at >= 0) windows[at] = w; else windows.push(w);
  windows.sort((x, y) => Number(x.start) - Number(y.start));
  if (windows.length > LIVE_MAX) windows = windows.slice(-LIVE_MAX);
  lastWindow = windows[windows.length - 1];
}

/* What of a window the chart and the line above it take. */
const slim = w => ({ start: w.start, span_s: w.span_s, part: w.part, partial: w.partial, packets: w.packets,
  marks: { scan: w.marks.scan, iot_broad: w.marks.iot_broad }, shares: { iot_broad: { scan: w.shares.iot_broad.scan } } });

/* The windows of the last hours; the chart stays as it is where they can't be had. */
async function recent() {
  try {
    for (const w of (await get("/api/v1/windows?ports=0&limit=240")).windows) windowTake(slim(w));
    liveChart();
  } catch { /* the next ones come live */ }
}

function listen() {
  const source = new EventSource("/api/v1/live");
  source.addEventListener("open", () => { isOn = true; pulse(); soon(400); });
  source.addEventListener("error", () => {
    isOn = false;
    pulse();
    if (source.readyState !== EventSource.CLOSED) return; // it tries again by itself
    source.close();
    setTimeout(listen, 5000);
  });
  source.addEventListener("window", event => {
    windowTake(slim(JSON.parse(event.data)));
    if (!document.hidden) {
      liveChart();
      pulse();
    }
    soon(400);
  });
  source.addEventListener("day", () => soon(400));
  source.addEventListener("gap", () => recent().then(() => soon(400)));
  source.addEventListener("events", () => soon(400));
  source.addEventListener("health", event => {
    health = JSON.parse(event.data);
    if (document.hidden) return;
    healthPart();
    pulse();
  });
}

async function begin() {
  for (const id of embedded ? ["live", "health", "days", "trouble", "pulse", "events"] : ["figure-coverage", "incomplete"]) $(id).remove();
  all();
  if (embedded) return;
  await load(true);
  isPublic = !!day && day.folded;
  try { health = isPublic ? null : await get("/api/v1/health"); } catch { /* what comes live has it, too */ }
  healthPart();
  footer();
  await recent();
  pulse();
  setInterval(pulse, 60000);
  listen();
}

for (const [id, to] of [["say-en", false], ["say-ja", true]])
  $(id).addEventListener("click", () => {
    japanese = to;
    try { localStorage.setItem("lang", to ? "ja" : "en"); } catch { /* for this visit */ }
    all();
  });
if (!embedded) {
  $("day-before").addEventListener("click", () => day && day.previous && go(day.previous));
  $("day-after").addEventListener("click", () => day && day.next && go(day.next));
  $("day-latest").addEventListener("click", () => { newest = null; date = null; go(null); });
  $("day-pick").addEventListener("change", event => event.target.value && go(event.target.value));
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    liveChart();
    healthPart();
    pulse();
    soon(0);
  });
}
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", all);
matchMedia("print").addEventListener("change", all);
begin();
