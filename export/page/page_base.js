/* What all parts of the page use. Its numbers come from /api/v1, or stand in it (element `data`): the same shapes. Names in them are
 * a stranger's, so that everything is put on the page as text. */
const words = JSON.parse(document.getElementById("words").textContent);
const PALETTE = ["#6f9ac4", "#7db8a4", "#a48fc0", "#c9a46b", "#8aa0ad", "#c58590", "#93b36a", "#b09a8a", "#5f86a0", "#9c7fa6",
  "#6ea3a0", "#a8a565", "#8894c9", "#bb8f73"];
const IOT = "#e08a2b", IOT_LIGHT = "#f2bf85", REST = "#aab4bd", FAINT = "#c9d0d6";
const $ = id => document.getElementById(id);
const embedded = $("data") ? JSON.parse($("data").textContent) : null;
const SVG = $("svg").namespaceURI; // so that no address stands in the page
const query = new URLSearchParams(location.search);

function remembered(key) {
  try { return localStorage.getItem(key); } catch { return null; } // a file may have no storage
}
let japanese = (embedded ? embedded.report.lang : query.get("lang") || remembered("lang") || navigator.language || "en").startsWith("ja");

/* What is shown. date null: the newest. */
let date = !embedded && /^\d{4}-\d\d-\d\d$/.test(query.get("day") || "") ? query.get("day") : null;
let day = embedded, newest = null, health = null, windows = [], isOn = false, isPublic = false, lastWindow = null;

/* The page's own words, and those that the text of a report has, too. */
const say = (key, ...parts) => parts.reduce((text, part, i) => text.replace(`{${i}}`, () => part), PAGE_WORDS[key][japanese ? 1 : 0]);
const word = key => words.words[key][japanese ? 1 : 0];
const said = pair => pair ? pair[japanese ? 1 : 0] : "";

const number = value => Number(value).toLocaleString("en-US");
const percent = (num, den) => {
  if (!den) return "–";
  const exact = num / den * 100;
  return num > 0 && exact < 0.1 ? "<0.1 %" : num < den && exact > 99.9 ? ">99.9 %" : exact.toFixed(1) + " %";
};
const percentOf = (num, den, over) => japanese ? `${over} に対して ${percent(num, den)}` : `${percent(num, den)} of ${over}`;
const color = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const short = value => value >= 1e9 ? value / 1e9 + " G" : value >= 1e6 ? value / 1e6 + " M" : value >= 1e3 ? value / 1e3 + " k" : value;
const zone = () => day ? day.timezone : "UTC";
/* A zone that the browser does not know is UTC off by so much: what a day over HTTP begins with. */
const zones = new Map();
function shiftOf(name) {
  if (!zones.has(name)) {
    let isKnown = true;
    try { new Intl.DateTimeFormat("en", { timeZone: name }); } catch { isKnown = false; }
    zones.set(name, isKnown);
  }
  if (zones.get(name)) return null;
  const into = day.date ? (86400 - day.start % 86400) % 86400 : 0;
  return into > 43200 ? into - 86400 : into;
}
function timeText(seconds, locale, how) {
  const shift = shiftOf(zone());
  return new Date((seconds + (shift || 0)) * 1000)[how ? "toLocaleTimeString" : "toLocaleString"](locale, Object.assign({ timeZone: shift === null ? zone() : "UTC" }, how));
}
const clock = (seconds, more) => timeText(seconds, "en-GB", Object.assign({ hour: "2-digit", minute: "2-digit" }, more));
/* "2026-03-07 10:00:00" in the feed's zone. */
const moment = seconds => timeText(seconds, "sv-SE");
/* The same without the date, where that is today's. */
const when = seconds => moment(seconds).slice(0, 10) === moment(Date.now() / 1000).slice(0, 10) ? clock(seconds, { second: "2-digit" }) : moment(seconds);
const ago = seconds => seconds < 7200 ? say("ago_minutes", number(Math.floor(seconds / 60))) : seconds < 172800 ? say("ago_hours", number(Math.floor(seconds / 3600)))
  : say("ago_days", number(Math.floor(seconds / 86400)));
const length = seconds => {
  const s = Math.round(seconds), h = Math.floor(s / 3600), m = Math.floor(s % 3600 / 60);
  return h ? say("hours", number(h), m) : m ? say("minutes", m, s % 60) : say("seconds", seconds < 10 ? Number(seconds.toFixed(1)) : s);
};

/* ---- pieces of the page */

function make(name, attributes, ...children) {
  const svg = name === "svg" || name === "rect";
  const node = svg ? document.createElementNS(SVG, name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {}))
    if (value !== null && value !== undefined && value !== false) node.setAttribute(key, value === true ? "" : value);
  for (const child of children.flat(3))
    if (child !== null && child !== undefined) node.append(child);
  return node;
}
const fill = (node, ...children) => node.replaceChildren(...children.flat(3).filter(c => c !== null && c !== undefined));

let tips = 0;
/* A name whose definition is a hover, a tap or a tab away. */
function tip(name, text, isPlain) {
  const id = `tip-${++tips}`;
  return make("span", { class: "tip", tabindex: "0", "aria-describedby": id }, isPlain ? name : make("code", {}, name),
    make("span", { class: "says", role: "tooltip", id }, text));
}
const markTip = name => tip(name, said(words.numerators[name]));
const overTip = name => tip(name, said(words.denominators[name]));
const ofOver = name => japanese ? [overTip(name), " に対する割合"] : ["of ", overTip(name)];

function meter(num, den, name) {
  const width = den ? Math.max(num > 0 ? 0.6 : 0, Math.min(100, num / den * 100)) : 0;
  return make("svg", { viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" },
    make("rect", { class: name, width: width.toFixed(2), height: 8 }));
}
const swatch = fillColor => make("span", { class: "swatch", "aria-hidden": "true" }, make("svg", { viewBox: "0 0 10 10" },
  make("rect", { width: 10, height: 10, rx: 3, fill: fillColor })));

/* ---- tables */

const n = (text, more) => make("td", Object.assign({ class: "n" }, more), text);
const none = why => n("–", { class: "n absent", title: why || null });
const bar = (num, den, iot) => make("td", { class: "b cell-bar", "aria-hidden": "true" }, meter(num, den, iot ? "iot" : "bar"));
const row = (name, ...cells) => make("tr", {}, make("th", { scope: "row" }, name), cells);
const heads = cells => make("tr", {}, cells.map(([text, name]) => make("th", { scope: "col", class: name || null,
  "aria-hidden": text === "" ? "true" : null }, text)));
const head = (...cells) => make("thead", {}, heads(cells));
const headOver = (over, name) => [japanese ? ["% ／ ", overTip(over)] : ["% of ", overTip(over)], name || "n"];

/* Rows behind the first `most` wait behind a button; print shows them. Which tables were opened is kept. */
const opened = new Set();
function table(id, caption, header, rows, most) {
  const columns = header.firstChild.children.length, node = $(id);
  const body = make("tbody", {}, rows.length ? rows : make("tr", {}, make("td", { class: "empty", colspan: columns }, say("nothing"))));
  fill(node, make("caption", { class: "off-screen" }, caption), header, body);
  const old = node.parentElement.nextElementSibling;
  if (old && old.classList.contains("all")) old.remove();
  if (!most || rows.length <= most + 2 || opened.has(id)) return;
  rows.slice(most).forEach(r => r.classList.contains("other") || r.classList.add("later"));
  const button = make("button", { type: "button", class: "all", "aria-controls": id }, say("show_all", number(rows.length)));
  button.addEventListener("click", () => {
    opened.add(id);
    rows.forEach(r => r.classList.remove("later"));
    button.remove();
  });
  node.parentElement.after(button);
}

/* A number that may be known as bounds alone: `name`, or name_low and name_high. */
function range(count, name) {
  const exact = count[name], low = count[name + "_low"], high = count[name + "_high"];
  if (exact !== null && exact !== undefined) return number(exact);
  if (low === undefined || low === null) return "–";
  return embedded || high === undefined ? `${number(low)}–${number(high)}` : low > 0 ? "≥ " + number(low) : "–";
}

/* ---- what the shares of this span are over */

function basis() {
  const span = day.span, has = !span.ex_survey_absent, rows = has && span.days > 0;
  return { marks: has ? "scan_ex_survey" : "scan", rows: rows ? "scan_ex_survey" : "scan", rowKey: rows ? "packets_ex_survey" : "packets",
    rowSources: rows ? "sources_ex_survey" : "sources",
    scan: rows ? span.marks.scan.packets_ex_survey : span.marks.scan.packets };
}

/* Before a share of numbers that are not exact. */
const sign = (over, bySources) => day.span.exact ? "" : bySources || over.endsWith("_ex_survey") ? "~ " : "≥ ";
const why = text => text === day.span.ex_survey_absent && day.said.ex_absent ? said(day.said.ex_absent) : text;
