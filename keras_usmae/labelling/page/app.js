// The page: one trace at a time, one thing after the other. A label counts once the server says that it is kept.

import { AScan } from "./ascan.js";
import { drawBscan, drawCurve, drawNeighbours, drawOverview, traceAt, traceOfOverview } from "./beside.js";
import { onTheme, TimeAxis } from "./look.js";
import { act, freshView, get, leave, page, Refused, view as fetched } from "./net.js";

const $ = (id) => document.getElementById(id);
const KEYS = [
  ["Enter, Space", "accept the mark as a sure label, and go on"],
  ["← →", "move the mark by a sample; with Shift by 10, with Alt by a tenth"],
  ["s", "snap to where the envelope rises through 10 % of its peak"],
  ["e, E", "the next pick of this trace, the one before"],
  ["x", "no echo"],
  ["d", "label as doubtful: kept, and not learnt from"],
  ["r", "accept the picks of the run of neighbours that agree"],
  ["u", "undo, without end"],
  ["n", "leave for later"],
  ["p", "back to the trace before"],
  ["t, 1 … 9", "the next echo of this trace, or one by its number"],
  ["+ −", "zoom about the mark; f to the burst, a to the whole record"],
  ["l", "fine-tune the picker on the labels so far, and sort anew"],
  ["?", "these keys"],
];

let facts, axis, ascan, view = null, echo = 0, mark = null, how = "accepted", owns = true, kept = 0, coming = [];
let overview = null, version = -1, state = null, curveKey = "";
const before = [];
const latencies = (window.usmaeLatencies = []);

// Showing.

function show(next, number) {
  view = next;
  echo = number ?? 0;
  reset();
  ascan.show(view);
  draw();
  tellTrace();
  document.body.dataset.trace = view.trace;
  document.body.dataset.echo = echo;
  document.body.dataset.picks = view.about.picks.onset.join();
}

// The mark begins at the label that is there, else at the pick.
function reset() {
  const about = view.about.echoes[echo];
  place(about.onset ?? about.pick, "accepted");
}

function place(sample, by) {
  mark = sample === null ? null : Math.min(Math.max(sample, 0), facts.samples - 1);
  how = by;
  if (mark !== null && !axis.shows(mark)) axis.center(mark);
  document.body.dataset.mark = mark ?? "";
}

function move(sample, by) {
  const { first } = axis;
  place(sample, by);
  if (axis.first !== first) draw();
  else { ascan.redraw(); drawBeside(); }
  tellEchoes();
}

function draw() {
  ascan.redraw(true);
  drawBeside();
}

function drawBeside() {
  if (!view) return;
  view.mark = mark;
  drawNeighbours($("neighbours"), view, axis, echo, ascan.gain);
  drawBscan($("bscan"), view, axis, echo);
  drawOverview($("overview"), overview, facts, view.trace);
}

function text(parent, tag, content, name) {
  const element = document.createElement(tag);
  element.textContent = content;
  if (name) element.className = name;
  parent.append(element);
  return element;
}

function tellTrace() {
  const { about } = view;
  const where = Object.entries(about.place).map(([name, value]) => `${name} ${value}`).join(", ");
  const file = facts.title === about.file ? "" : `${about.file}, `;
  const scan = facts.scan.shape.length > 1 ? ` · ${where}` : "";
  $("place").textContent = `${file}trace ${about.number.toLocaleString("en")} of ${facts.traces.toLocaleString("en")}${scan}`;
  const { reason, mark } = about.echoes[echo];
  $("why").textContent = mark ? `labelled: ${mark}` : reason || (about.looked ? about.why_none : "not picked yet");
  const { run } = about.echoes[echo];
  $("run").disabled = !run;
  $("run").firstChild.textContent = run ? `Run of ${run}` : "Run";
  tellEchoes();
}

const time = (sample) => 1e6 * (sample / facts.sampling_rate + facts.start_time);

function tellEchoes() {
  const box = $("echoes");
  box.replaceChildren();
  view.about.echoes.forEach((about, number) => {
    const card = text(box, "div", "", number === echo ? "current" : "");
    text(card, "span", facts.echoes[number], "name");
    text(card, "span", about.mark || "open", `state ${about.mark}`);
    const at = number === echo ? mark : about.onset ?? about.pick;
    const value = text(card, "div", at === null ? "no pick " : `${time(at).toFixed(3)} µs `, "value");
    text(value, "small", at === null ? "double-click to mark" : `sample ${at.toFixed(1)}`);
    if (about.pick !== null) {
      const aic = about.aic === null ? "" : ` · AIC ${(about.aic - about.pick).toFixed(1).replace("-", "−")} off`;
      const sure = `${(100 * about.confidence).toFixed(0)} %`;
      text(card, "div", `pick ${about.pick.toFixed(1)} ± ${about.half_width.toFixed(1)} · ${sure}${aic}`, "quiet");
    }
    card.addEventListener("click", () => chooseEcho(number));
  });
}

function say(content, isBad = false) {
  $("message").textContent = content;
  $("message").classList.toggle("bad", isBad);
}

// Doing: one after the other, so that a key that is pressed early means the trace that comes.

let chain = Promise.resolve();
function run(task) {
  chain = chain.then(task).catch((error) => {
    if (error instanceof Refused) say(error.message, true);
    else banner("The server does not answer. What was shown as labelled is on the disk: start the same command again.");
  });
  return chain;
}

async function follow(found, pressed) {
  const from = view?.trace;
  coming = found.upcoming ?? [];
  if (!found.go) {
    if (found.go === null) { say("Every trace has its labels. Learn from them, or end with Ctrl-C."); await again(); }
    return;
  }
  const { trace, echo, about } = found.go;
  const next = await fetched(trace);
  next.about = about;
  if (from !== undefined && from !== trace) before.push(from);
  show(next, echo);
  if (pressed) requestAnimationFrame(() => setTimeout(() => latencies.push(performance.now() - pressed)));
  coming.forEach((trace) => fetched(trace).catch(() => {}));
}

async function again() {
  if (view) show(await freshView(view.trace), echo);
}

async function keep(kind, pressed) {
  if (kind !== "no echo" && mark === null) throw new Refused("There is no mark: double-click in the A-scan, or press x for no echo.");
  const found = await act("label", { trace: view.trace, echo, mark: kind, onset: mark, how });
  document.body.dataset.kept = ++kept; // the server has answered: it is on the disk
  say(`Kept: trace ${view.trace}, ${facts.echoes[echo]} ${kind === "no echo" ? kind : `${time(mark).toFixed(3)} µs, ${kind}`}.`);
  await follow(found, pressed);
  pollSoon();
}

const DO = {
  accept: (pressed) => keep("sure", pressed),
  doubtful: (pressed) => keep("doubtful", pressed),
  none: (pressed) => keep("no echo", pressed),
  async run(pressed) {
    const found = await act("run", { trace: view.trace, echo, onset: mark });
    kept += found.labelled;
    document.body.dataset.kept = kept;
    say(`Kept: ${found.labelled} traces, ${facts.echoes[echo]}.`);
    await follow(found, pressed);
    pollSoon();
  },
  async undo(pressed) {
    const found = await act("undo");
    document.body.dataset.undone = found.undone + Number(document.body.dataset.undone ?? 0);
    say(`Taken back: ${found.undone} ${found.undone === 1 ? "label" : "labels"}.`);
    await follow(found, pressed);
    pollSoon();
  },
  async next(pressed) { await follow(await act("skip", { trace: view.trace }), pressed); },
  async back() {
    if (before.length) show(await freshView(before.pop()), 0);
  },
  async snap() {
    if (mark === null) return;
    move((await act("snap", { trace: view.trace, onset: mark })).onset, "snapped");
  },
  async other(pressed, backwards) {
    const { onset } = view.about.picks;
    if (!onset.length) throw new Refused("The picker found no echo in this trace.");
    const here = mark ?? -1;
    const next = backwards ? onset.filter((at) => at < here - 0.01).at(-1) ?? onset.at(-1) : onset.find((at) => at > here + 0.01) ?? onset[0];
    move(next, "other pick");
  },
  async echo() { chooseEcho((echo + 1) % facts.echoes.length); },
  async learn() { await act("learn"); say("Learning. Go on meanwhile."); poll(); },
  async help() { $("help").showModal(); },
};

function chooseEcho(number) {
  if (number >= facts.echoes.length) return;
  echo = number;
  document.body.dataset.echo = echo;
  reset();
  draw();
  tellTrace();
}

async function go(trace) {
  before.push(view.trace);
  show(await freshView(trace), 0);
}

const LETTERS = { Enter: "accept", " ": "accept", s: "snap", x: "none", d: "doubtful", r: "run", u: "undo", n: "next", p: "back", t: "echo", l: "learn", "?": "help" };

addEventListener("keydown", (event) => {
  if (document.querySelector("dialog[open]") || !view || !owns) return;
  const pressed = performance.now(), { key } = event;
  const isUndo = (event.ctrlKey || event.metaKey) && key === "z";
  if (!isUndo && (event.ctrlKey || event.metaKey)) return;
  if (key === "Enter" && document.activeElement?.matches("button")) document.activeElement.blur();
  if (key === "ArrowLeft" || key === "ArrowRight") {
    const step = (event.shiftKey ? 10 : event.altKey ? 0.1 : 1) * (key === "ArrowLeft" ? -1 : 1);
    run(async () => { if (mark !== null) move(mark + step, "moved"); });
  } else if (isUndo) run(() => DO.undo(pressed));
  else if (key === "e" || key === "E") run(() => DO.other(pressed, key === "E"));
  else if (key >= "1" && key <= "9") run(async () => chooseEcho(Number(key) - 1));
  else if (key === "+" || key === "-" || key === "a" || key === "f") zoom(key);
  else if (LETTERS[key] && !(event.repeat && LETTERS[key] !== "accept")) run(() => DO[LETTERS[key]](pressed));
  else return;
  event.preventDefault();
});

function zoom(key) {
  if (key === "a") axis.all();
  else if (key === "f") axis.set((mark ?? 0) - view.about.burst, 4 * view.about.burst);
  else axis.zoom(key === "+" ? 1 / 1.5 : 1.5, mark ?? (axis.first + axis.last) / 2);
  draw();
}

// What changes beside the labels.

function banner(content) {
  $("banner").textContent = content;
  $("banner").hidden = !content;
}

function tellState() {
  const { marks, picking, learning, curve } = state;
  const count = (name) => marks[name].toLocaleString("en");
  $("counts").textContent = `${count("sure")} sure · ${count("doubtful")} doubtful · ${count("no echo")} no echo · ${count("")} open`;
  const share = picking.done / picking.total;
  $("picking").textContent = picking.error ? "" : share < 1 ? `picking ${Math.floor(100 * share)} %` : "";
  $("undo").disabled = !state.can_undo;
  const running = "share" in learning;
  $("learn").disabled = running;
  $("learn-bar").style.width = running ? `${100 * learning.share}%` : "0";
  $("learn-text").textContent = running ? `Learning: ${learning.step} ${Math.round(100 * learning.share)} %` : "Learn from the labels";
  banner(picking.error ? `The picker failed: ${picking.error}` : state.error ? `labels.csv could not be written: ${state.error} The journal has the labels.` : "");
  const last = curve.at(-1);
  $("learnt").textContent = learning.error ? `It failed: ${learning.error}` : last ? tellLearnt(last) : "The error on a fifth of the labels, held out, is shown here after each learning.";
  document.body.dataset.learnt = curve.length;
  document.body.dataset.picked = picking.done;
  const key = JSON.stringify(curve);
  if (key !== curveKey) { curveKey = key; drawCurve($("curve"), curve, facts.sampling_rate); }
}

function tellLearnt(last) {
  const nanoseconds = (error) => `${(1e9 * error / facts.sampling_rate).toFixed(0)} ns`;
  if (!last.held_out) return "No sure label was among those held out: nothing tells whether it is better, and the picker stays.";
  const result = `Held-out error ${nanoseconds(last.after)} on ${last.held_out} labels, with ${last.labels} learnt; before ${nanoseconds(last.before)}.`;
  return last.taken ? result : `${result} No better: the picker stays.`;
}

let polling = null;
// Not at once: the next key comes first.
function pollSoon() {
  clearTimeout(polling);
  polling = setTimeout(poll, 250);
}

async function poll() {
  clearTimeout(polling);
  try {
    state = await get(`state?page=${page}&version=${version}`);
    if (state.overview) {
      const { rows, columns, cells } = state.overview;
      overview = { rows, columns, cells: Uint8Array.from(cells.match(/../g) ?? [], (cell) => parseInt(cell, 16)) };
      version = state.version;
      if (view) drawOverview($("overview"), overview, facts, view.trace);
    }
    tellState();
    if (owns !== state.owns) owned(state.owns);
    // Before the picker has seen a trace there is nothing to accept: look again once it has.
    if (view && owns && !view.about.looked && mark === null && state.picking.done > view.trace) run(again);
  } catch (error) {
    if (error instanceof Refused) banner(error.message);
    else banner("The server does not answer. What was shown as labelled is on the disk: start the same command again.");
  }
  clearTimeout(polling);
  polling = setTimeout(poll, 1000);
}

function owned(mine) {
  owns = mine;
  if (mine) { $("elsewhere").close(); run(async () => follow(await act("start"))); }
  else if (!$("elsewhere").open) $("elsewhere").showModal();
}

$("elsewhere").addEventListener("cancel", (event) => event.preventDefault());
$("take").addEventListener("click", () => run(async () => { await act("take"); await poll(); }));
addEventListener("pagehide", leave);

// Beginning.

async function begin() {
  facts = await get("facts");
  document.title = `${facts.title} · usmae label`;
  $("title").textContent = facts.title;
  $("title").title = `Labels go to ${facts.folder}`;
  axis = new TimeAxis(facts.samples);
  ascan = new AScan($("ascan"), facts, () => ({ view, mark, echo, axis }), move, draw);
  const table = $("keys");
  for (const [keys, what] of KEYS) {
    const row = text(table, "tr", "");
    text(row, "td", keys);
    text(row, "td", what);
  }
  document.querySelectorAll("[data-do]").forEach((button) => button.addEventListener("click", () => {
    button.blur();
    if (view && owns) run(() => DO[button.dataset.do](performance.now()));
  }));
  $("help-button").addEventListener("click", () => $("help").showModal());
  $("bscan").addEventListener("click", (event) => run(() => go(traceAt($("bscan"), view, event))));
  $("overview").addEventListener("click", (event) => run(() => go(traceOfOverview($("overview"), overview, facts, event))));
  new ResizeObserver(() => { drawBeside(); if (state) drawCurve($("curve"), state.curve, facts.sampling_rate); }).observe($("plots"));
  onTheme(() => { ascan.retheme(); drawBeside(); if (state) drawCurve($("curve"), state.curve, facts.sampling_rate); });
  await poll();
  if (owns) await run(async () => follow(await act("start")));
  document.body.dataset.ready = "yes";
}

begin().catch((error) => banner(error.message));
