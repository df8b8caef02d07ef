// Climb: curves follow while one types or drags; what is guaranteed and what to know follow a moment later.
import { Chart, colorOf } from "../chart.js";
import { Controls, copyButton, integer } from "../controls.js";
import { droppable, names, send } from "../given.js";
import { row } from "../table.js";

const DRAGGABLE = 12;

export function mount(page) { new Climb(page).begin(); }

class Climb {
  constructor({ root, address, connection, find }) {
    Object.assign(this, { root, address, connection, find });
    this.code = { python: "", shell: "" };
    this.controls = new Controls(find("form"), () => this.ask());
    this.paths = new Chart(find("paths"), { name: "Eigenvalues", named: true, height: 320, x: "step", y: "eigenvalue", cursor: (k) => this.read(k),
      drawn: () => this.handles(this.now.facts.eigenvalues) });
    this.staircase = new Chart(find("staircase"), { name: "Effective rank", height: 170, x: "step", y: "rank", least: 0, cursor: (k) => this.read(k) });
    find("design").addEventListener("click", () => this.design());
    find("keep").addEventListener("click", () => this.keep());
    find("named").addEventListener("change", (event) => this.take(event.target.value));
    find("file").addEventListener("change", (event) => this.drop(event.target.files[0]));
    droppable(root, find("drop"), (file) => this.drop(file));
    copyButton(find("python"), () => this.code.python);
    copyButton(find("shell"), () => this.code.shell);
    address.changed((state) => this.show(state));
  }

  begin() {
    const { matrix, ...state } = this.address.state;
    names(this.connection, this.find("named"), () => "");
    this.show(state);
    if (matrix && !state.eigenvalues) this.take(matrix, false);
  }

  async drop(file) {
    if (!file) return;
    const number = await send(file, (words) => this.complain(words));
    this.find("named").value = "";
    this.take(number);
  }

  // Its spectrum goes into the field, as if it had been typed. Of what was named at the start, only where it has one.
  take(matrix, chosen = true) {
    if (!matrix) return;
    const say = (words) => { this.find("taken").textContent = words; };
    say("Finding the spectrum …");
    this.connection.ask("climb", { do: "spectrum", matrix }, ({ kind, facts }) => {
      if (kind === "error") say(chosen ? "" : `Of what was opened no spectrum is taken: ${facts.words}`);
      if (kind === "error" && chosen) this.complain(facts.words);
      if (kind !== "spectrum") return;
      say(facts.words);
      this.find("form").elements.eigenvalues.value = facts.eigenvalues.join(", ");
      this.ask(chosen);
    }, "spectrum");
  }

  show(state) {
    this.controls.state = state;
    this.beside = null;
    this.kept = state.beside ?? "";
    if (this.kept) this.compare();
    this.find("keep").textContent = this.kept ? "Forget the comparison" : "Keep for comparison";
    this.ask(false);
  }

  ask(remember = true) {
    const state = this.controls.state;
    if (remember) this.address.set({ ...this.controls.changed, beside: this.kept });
    this.connection.ask("climb", state, (frame) => this.hear(frame), "main", remember);
  }

  // A second setting, drawn dashed beside the first; the address holds it too.
  keep() {
    this.kept = this.kept ? "" : new URLSearchParams(this.controls.state).toString();
    this.find("keep").textContent = this.kept ? "Forget the comparison" : "Keep for comparison";
    this.beside = null;
    if (this.kept) this.compare();
    this.ask();
  }

  compare() {
    const state = Object.fromEntries(new URLSearchParams(this.kept));
    this.connection.ask("climb", state, (frame) => {
      if (frame.kind !== "curves") return;
      this.beside = frame;
      if (this.now) { this.coded(); this.draw(); }
    }, "beside");
  }

  // What is kept for comparison comes first, under a name of its own.
  coded() {
    const { python, shell } = this.now.facts, kept = this.kept && this.beside?.facts;
    this.code = !kept ? { python, shell } : { python: `${kept.python}kept = paths\n\n${python}`, shell: kept.shell.replace("-o run.zarr", "-o kept.zarr") + shell };
    this.find("lines").textContent = `${this.code.python}\n${this.code.shell}`;
  }

  design() {
    const state = { ...this.controls.state, do: "design" };
    this.connection.ask("climb", state, ({ kind, facts }) => {
      if (kind === "error") return this.complain(facts.words);
      if (kind !== "design") return;
      if (facts.failed || facts.alpha === null) return this.complain(facts.failed ?? "No start does that.");
      const form = this.find("form").elements;
      form.alpha.value = facts.alpha;
      form.beta.value = facts.beta ?? "";
      form.learning_rate.value = facts.learning_rate;
      this.controls.follow();
      this.ask();
    }, "design");
  }

  complain(words) { this.find("error").textContent = words; }

  hear({ ask, kind, facts, arrays }) {
    if (kind === "error") {
      this.complain(facts.words);
      this.mark(ask);
    } else if (kind === "curves") {
      this.complain("");
      this.now = { facts, arrays };
      this.coded();
      this.draw();
      this.mark(ask);
    } else if (kind === "plateaus") this.plateaus(facts);
    else if (kind === "times") this.times(facts);
    else if (kind === "words") this.words(facts.findings);
  }

  // What tests and measurements wait for: the picture of this question is on the screen.
  mark(ask) {
    requestAnimationFrame(() => requestAnimationFrame(() => { this.root.dataset.drawn = ask; }));
  }

  draw() {
    const { facts, arrays } = this.now;
    const count = arrays.paths.length, log = facts.axis === "log";
    const curves = [...arrays.paths].map((values, k) => ({ values, color: colorOf(k, count), width: count > 20 ? 1.2 : 1.8 }));
    const rank = [{ values: arrays.rank, color: colorOf(0, 1), width: 2 }];
    let x = arrays.steps;
    if (this.beside && this.beside.arrays.steps.length) {
      const other = this.beside.arrays;
      const at = (values) => Array.from(x, (step) => between(other.steps, values, step));
      curves.push(...other.paths.map((values, k) => ({ values: at(values), color: colorOf(k, other.paths.length), dash: [4, 4], width: 1.2 })));
      rank.push({ values: at(other.rank), color: colorOf(1, 4), dash: [4, 4], width: 1.5 });
    }
    this.paths.levels = count <= DRAGGABLE ? facts.eigenvalues.map((value, k) => ({ value, color: colorOf(k, count) })) : [];
    this.paths.draw(x, curves, log);
    this.staircase.draw(x, rank, log);
  }

  plateaus({ plateaus, stop }) {
    const held = plateaus.filter((plateau) => plateau.guaranteed);
    const bands = held.map((plateau) => ({ start: plateau.start, end: plateau.end, words: `rank ${plateau.rank}` }));
    for (const chart of [this.paths, this.staircase]) {
      chart.bands = bands;
      chart.marks = stop && stop.step !== null ? [{ at: stop.step }] : [];
      chart.again();
    }
    this.held = held;
    // Of many ranks those that hold come first.
    const shown = [...held, ...plateaus.filter((plateau) => !plateau.guaranteed)].slice(0, 30).sort((a, b) => a.rank - b.rank);
    this.find("others").textContent = shown.length < plateaus.length ? `${shown.length} of ${plateaus.length} ranks; ${held.length} of all are guaranteed.` : "";
    this.find("plateaus").tBodies[0].replaceChildren(...shown.map((plateau) => row([
      plateau.rank, plateau.guaranteed ? integer(plateau.start) : "–",
      plateau.guaranteed ? (plateau.end === null ? "the end" : integer(plateau.end)) : "–", plateau.effective_rank.toPrecision(4), plateau.failed ?? "",
    ])));
    const place = this.find("stop");
    place.className = stop && stop.step === null ? "error" : "good";
    place.textContent = !stop ? "" : stop.step === null ? stop.failed : `Stop at step ${integer(stop.step)}: the rank is guaranteed there.`;
  }

  times({ times, of }) {
    const until = (step) => step === null ? "–" : integer(step);
    this.find("times").tBodies[0].replaceChildren(...times.map((time) => row([
      time.eigenvalue, until(time.lower), until(time.upper), time.failed ?? "",
    ])));
    this.find("more").textContent = of > times.length ? `The first ${times.length} of ${of}.` : "";
  }

  words(findings) {
    const items = findings.map(({ severity, words }) => Object.assign(document.createElement("li"), { className: severity, textContent: words }));
    if (!items.length) items.push(Object.assign(document.createElement("li"), { textContent: "Nothing out of the ordinary." }));
    this.find("words").replaceChildren(...items);
  }

  read(k) {
    if (!this.now || k === null) { this.find("cursor").textContent = ""; return; }
    const step = this.now.arrays.steps[k], rank = this.now.arrays.rank[k];
    const held = (this.held ?? []).find((p) => p.start <= step && (p.end === null || step <= p.end));
    this.find("cursor").textContent = `step ${integer(step)}, effective rank ${rank.toPrecision(4)}${held ? `, rank ${held.rank} guaranteed` : ""}`;
  }

  // One point for each eigenvalue at the right edge: up and down by mouse, finger or arrow keys.
  handles(values) {
    const area = this.find("paths");
    let points = [...area.querySelectorAll(".handle")];
    const wanted = values.length <= DRAGGABLE ? values.length : 0;
    if (points.length !== wanted) {
      points.forEach((point) => point.remove());
      points = values.slice(0, wanted).map((_, k) => area.appendChild(this.handle(k)));
    }
    points.forEach((point, k) => {
      point.style.top = `${this.paths.plot.valToPos(values[k], "y") + this.paths.plot.over.offsetTop}px`;
      point.style.setProperty("--mode", colorOf(k, values.length));
      point.setAttribute("aria-valuenow", values[k]);
    });
  }

  handle(k) {
    const point = document.createElement("button");
    point.type = "button";
    point.className = "handle";
    point.setAttribute("role", "slider");
    point.setAttribute("aria-orientation", "vertical");
    point.setAttribute("aria-label", `Eigenvalue ${k + 1}`);
    point.addEventListener("pointerdown", (event) => { point.setPointerCapture(event.pointerId); this.paths.hold(true); });
    point.addEventListener("pointermove", (event) => {
      if (!point.hasPointerCapture(event.pointerId)) return;
      const over = this.paths.plot.over.getBoundingClientRect();
      this.set(k, this.paths.plot.posToVal(event.clientY - over.top, "y"));
    });
    const end = () => { this.paths.hold(false); this.ask(); };
    point.addEventListener("pointerup", end);
    point.addEventListener("pointercancel", end);
    point.addEventListener("keydown", (event) => {
      const way = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 10, PageDown: -10 }[event.key];
      if (!way) return;
      event.preventDefault();
      const size = Math.max(...this.now.facts.eigenvalues.map(Math.abs));
      this.set(k, this.now.facts.eigenvalues[k] + way * size / 50);
    });
    return point;
  }

  set(k, value) {
    const values = [...this.now.facts.eigenvalues];
    values[k] = Number(value.toPrecision(3));
    this.now.facts.eigenvalues = values;
    this.find("form").elements.eigenvalues.value = values.join(", ");
    this.ask();
  }
}

// Linear between the recorded steps of another setting; nothing behind its last one.
function between(steps, values, step) {
  if (step > steps[steps.length - 1] || step < steps[0]) return null;
  let low = 0, high = steps.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (steps[middle] <= step) low = middle; else high = middle;
  }
  const share = steps[high] > steps[low] ? (step - steps[low]) / (steps[high] - steps[low]) : 0;
  return values[low] + share * (values[high] - values[low]);
}
