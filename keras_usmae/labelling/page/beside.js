// What lies about a trace: its neighbours, the B-scan, the whole scan; and the curve of the learning.

import { colour, GUTTER, sheet } from "./look.js";

const RIGHT = 8; // px, as the A-scan's
const [SURE, DOUBTFUL, NO_ECHO] = [1, 2, 3];
const MARK_COLOUR = { [SURE]: "sure", [DOUBTFUL]: "doubtful", [NO_ECHO]: "none" };

function clip(context, left, right, height) {
  context.save();
  context.beginPath();
  context.rect(left, 0, right - left, height);
  context.clip();
}

export function drawNeighbours(canvas, view, axis, echo, gain) {
  const shown = [Math.max(Math.floor(axis.first), 0), Math.ceil(axis.last)];
  const { context, width, height } = sheet(canvas);
  const left = GUTTER, right = width - RIGHT, step = height / Math.max(view.beside.length, 1);
  const about = view.about.echoes[echo], first = view.bscan.first;
  let largest = 1e-30;
  for (const { signal } of view.beside) {
    for (const value of signal.subarray(...shown)) if (Math.abs(value) > largest) largest = Math.abs(value);
  }
  context.textBaseline = "middle";
  view.beside.forEach(({ number, signal }, row) => {
    const middle = (row + 0.5) * step, scale = step * 0.48 * gain / largest;
    context.fillStyle = colour("quiet");
    context.textAlign = "right";
    context.fillText(number, left - 8, middle);
    clip(context, left, right, height);
    context.strokeStyle = colour("signal");
    context.globalAlpha = 0.75;
    context.lineWidth = 1;
    context.beginPath();
    wiggle(context, signal, axis, left, right, (value) => middle - value * scale);
    context.stroke();
    context.globalAlpha = 1;
    const place = number - first, label = about.row_labels[place], pick = about.row_picks[place];
    const at = label ?? pick;
    if (at !== null) {
      const x = axis.place(at, left, right);
      context.fillStyle = colour(label !== null ? MARK_COLOUR[about.row_marks[place]] : "pick");
      context.fillRect(x - 0.75, middle - step / 2 + 1, 1.5, step - 2);
    }
    context.restore();
  });
  markOver(context, axis, left, right, height, view.mark);
}

// A signal as a line; of many samples in a pixel, their lowest and their highest.
function wiggle(context, signal, axis, left, right, y) {
  const from = Math.max(Math.floor(axis.first), 0), to = Math.min(Math.ceil(axis.last), signal.length - 1);
  const perPixel = (to - from) / (right - left);
  if (perPixel <= 2) {
    for (let sample = from; sample <= to; sample++) context.lineTo(axis.place(sample, left, right), y(signal[sample]));
    return;
  }
  for (let x = left; x < right; x++) {
    const start = Math.floor(axis.sample(x, left, right)), stop = Math.max(Math.floor(axis.sample(x + 1, left, right)), start + 1);
    let low = Infinity, high = -Infinity;
    for (let sample = Math.max(start, 0); sample < stop && sample < signal.length; sample++) {
      if (signal[sample] < low) low = signal[sample];
      if (signal[sample] > high) high = signal[sample];
    }
    if (low <= high) { context.lineTo(x, y(high)); context.lineTo(x, y(low)); }
  }
}

function markOver(context, axis, left, right, height, mark) {
  if (mark === null || mark === undefined) return;
  clip(context, left, right, height);
  context.fillStyle = colour("mark");
  context.globalAlpha = 0.5;
  context.fillRect(axis.place(mark, left, right) - 0.5, 0, 1, height);
  context.restore();
}

const image = document.createElement("canvas");
let painted = null;

function channels(name) {
  const value = colour(name);
  return [1, 3, 5].map((place) => parseInt(value.slice(place, place + 2), 16));
}

// The B-scan as an image of one pixel a cell, in three steps of colour; made anew for another trace or theme.
function paintBscan({ rows, columns, pixels }) {
  const key = `${colour("deep")}${colour("bright")}`;
  if (painted?.pixels === pixels && painted.key === key) return;
  painted = { pixels, key };
  image.width = columns;
  image.height = rows;
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const [low, high] = dark ? [channels("deep"), channels("bright")] : [channels("bright"), channels("deep")];
  const table = new Uint32Array(256), bytes = new Uint8Array(table.buffer);
  for (let value = 0; value < 256; value++) {
    const share = (value / 255) ** 1.4;
    for (let channel = 0; channel < 3; channel++) bytes[4 * value + channel] = low[channel] + share * (high[channel] - low[channel]);
    bytes[4 * value + 3] = 255;
  }
  const data = new ImageData(columns, rows), cells = new Uint32Array(data.data.buffer);
  for (let cell = 0; cell < cells.length; cell++) cells[cell] = table[pixels[cell]];
  image.getContext("2d").putImageData(data, 0, 0);
}

export function drawBscan(canvas, view, axis, echo) {
  const { context, width, height } = sheet(canvas);
  const { first, rows, columns, width: size } = view.bscan, about = view.about.echoes[echo];
  const left = GUTTER, right = width - RIGHT, top = 4, bottom = height - 4, step = (bottom - top) / rows;
  paintBscan(view.bscan);
  clip(context, left, right, height);
  context.imageSmoothingEnabled = false;
  const start = axis.place(0, left, right), stop = axis.place(columns * size, left, right);
  context.drawImage(image, 0, 0, columns, rows, start, top, stop - start, bottom - top);
  for (let row = 0; row < rows; row++) {
    const label = about.row_labels[row], at = label ?? about.row_picks[row];
    if (at === null) continue;
    context.fillStyle = colour(label !== null ? MARK_COLOUR[about.row_marks[row]] : "pick");
    const tall = Math.max(step, 2);
    context.fillRect(axis.place(at, left, right) - 1, top + (row + 0.5) * step - tall / 2, label !== null ? 3 : 2, tall);
  }
  const y = top + (view.trace - first) * step;
  context.strokeStyle = colour("mark");
  context.lineWidth = 1;
  context.strokeRect(left + 0.5, y - 0.5, right - left - 1, Math.max(step, 2) + 1);
  context.restore();
  context.fillStyle = colour("quiet");
  context.textAlign = "right";
  context.textBaseline = "top";
  context.fillText(first, left - 8, top);
  context.textBaseline = "bottom";
  context.fillText(first + rows - 1, left - 8, bottom);
  context.fillStyle = colour("mark");
  context.textBaseline = "middle";
  if (y > top + 14 && y < bottom - 14) context.fillText(view.trace, left - 8, y + step / 2);
  markOver(context, axis, left, right, height, view.mark);
}

export function traceAt(canvas, view, event) {
  const box = canvas.getBoundingClientRect(), { first, rows } = view.bscan;
  const row = Math.floor((event.clientY - box.top - 4) / (box.height - 8) * rows);
  return first + Math.min(Math.max(row, 0), rows - 1);
}

// The whole scan: a line, or the map of a grid that is laid with its longer side along the page.
function layout({ rows, columns }, width, height) {
  const turned = rows > columns && rows > 1;
  const [across, down] = turned ? [rows, columns] : [columns, rows];
  return { turned, across, down, left: GUTTER, right: width - RIGHT, top: 4, bottom: height - 4 };
}

export function drawOverview(canvas, overview, facts, trace) {
  if (!overview) return;
  canvas.classList.toggle("map", overview.rows > 1);
  const { context, width, height } = sheet(canvas);
  const { turned, across, down, left, right, top, bottom } = layout(overview, width, height);
  const [w, h] = [(right - left) / across, (bottom - top) / down];
  const fills = cellColours();
  overview.cells.forEach((cell, number) => {
    const [row, column] = [Math.floor(number / overview.columns), number % overview.columns];
    const [x, y] = turned ? [row, column] : [column, row];
    context.fillStyle = fills[cell];
    context.fillRect(left + x * w, top + y * h, Math.ceil(w * 10) / 10 + 0.4, h + 0.3);
  });
  const [x, y] = cellOf(overview, facts, trace, turned);
  context.strokeStyle = colour("mark");
  context.lineWidth = 1.5;
  context.strokeRect(left + x * w - 1, top + y * h - 1, Math.max(w, 2) + 2, h + 2);
  context.fillStyle = colour("quiet");
  context.textAlign = "right";
  context.textBaseline = "middle";
  context.fillText("scan", left - 8, (top + bottom) / 2);
}

function cellColours() {
  const [from, to] = [channels("rule"), channels("warm")], fills = [];
  for (let cell = 0; cell <= 200; cell++) {
    const share = Math.max(cell - 60, 0) / 140;
    fills.push(cell === 0 ? colour("panel") : `rgb(${from.map((low, i) => Math.round(low + share * (to[i] - low)))})`);
  }
  fills[253] = colour("none");
  fills[254] = colour("doubtful");
  fills[255] = colour("sure");
  return fills;
}

function cellOf({ rows, columns }, facts, trace, turned) {
  if (rows === 1) return [Math.min(Math.floor(trace * columns / facts.traces), columns - 1), 0];
  const [row, column] = [Math.floor(trace / columns), trace % columns];
  return turned ? [row, column] : [column, row];
}

export function traceOfOverview(canvas, overview, facts, event) {
  const box = canvas.getBoundingClientRect();
  const { turned, across, down, left, right, top, bottom } = layout(overview, box.width, box.height);
  const share = (place, from, to, count) => Math.min(Math.max(Math.floor((place - from) / (to - from) * count), 0), count - 1);
  const x = share(event.clientX - box.left, left, right, across), y = share(event.clientY - box.top, top, bottom, down);
  if (overview.rows === 1) return Math.min(Math.ceil(x * facts.traces / across), facts.traces - 1);
  return turned ? x * overview.columns + y : y * overview.columns + x;
}

// Errors in ns over labels; dashed, the error of the picker before.
export function drawCurve(canvas, curve, rate) {
  const { context, width, height } = sheet(canvas);
  const points = curve.filter((point) => Number.isFinite(point.after)).map((point) => (
    { ...point, before: 1e9 * point.before / rate, after: 1e9 * point.after / rate }
  ));
  const left = 30, right = width - 8, top = 8, bottom = height - 20;
  context.fillStyle = colour("quiet");
  context.strokeStyle = colour("rule");
  context.strokeRect(left + 0.5, top + 0.5, right - left - 1, bottom - top - 1);
  context.textAlign = "center";
  context.textBaseline = "bottom";
  context.fillText("labels", (left + right) / 2, height - 2);
  context.save();
  context.translate(9, (top + bottom) / 2);
  context.rotate(-Math.PI / 2);
  context.textBaseline = "middle";
  if (!points.length) context.fillText("error / ns", 0, 0);
  context.restore();
  if (!points.length) return;
  const most = Math.max(...points.map((point) => point.labels)) * 1.1;
  const worst = Math.max(...points.flatMap((point) => [point.before, point.after])) * 1.15;
  const x = (labels) => left + labels / most * (right - left), y = (error) => bottom - error / worst * (bottom - top);
  const last = points.at(-1);
  context.setLineDash([3, 3]);
  context.strokeStyle = colour("quiet");
  context.beginPath();
  context.moveTo(left, y(last.before));
  context.lineTo(right, y(last.before));
  context.stroke();
  context.setLineDash([]);
  context.strokeStyle = colour("pick");
  context.lineWidth = 1.5;
  context.beginPath();
  points.forEach((point) => context.lineTo(x(point.labels), y(point.after)));
  context.stroke();
  points.forEach((point) => {
    context.fillStyle = colour(point.taken ? "pick" : "quiet");
    context.beginPath();
    context.arc(x(point.labels), y(point.after), 3, 0, 7);
    context.fill();
  });
  context.fillStyle = colour("quiet");
  context.textAlign = "right";
  context.textBaseline = "middle";
  context.fillText(Math.round(worst), left - 4, top + 5);
  context.fillText("0", left - 4, bottom - 4);
  context.fillText(Math.round(most), right, height - 9);
}
