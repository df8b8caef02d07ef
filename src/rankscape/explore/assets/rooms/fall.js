// Fall: a live run; ridge and rate change in flight, one can go back and fork.
import { Chart, colorOf } from "../chart.js";
import { Controls, copyButton, integer } from "../controls.js";
import { row } from "../table.js";

const LONGEST = 4000;
const IN_FLIGHT = ["ridge", "learning_rate", "pace", "mode"], NEAR = ["ridge", "mode"];

export function mount(page) { new Fall(page).begin(); }

class Fall {
  constructor({ root, address, connection, find }) {
    Object.assign(this, { root, address, connection, find });
    this.code = { python: "", shell: "" };
    this.past = "";
    this.controls = new Controls(find("form"), (state) => this.changed(state));
    this.values = new Chart(find("values"), { name: "Singular values", height: 320, x: "step", y: "singular value", least: 0, cursor: (k) => this.read(k) });
    this.alive = new Chart(find("alive"), { name: "Live modes", height: 150, x: "step", y: "live modes", least: 0, cursor: (k) => this.read(k, this.alive) });
    this.landscape = new Chart(find("landscape"), { name: "Landscape", height: 170, x: "size of the mode", y: "objective", cursor: (k) => this.readLandscape(k) });
    find("pause").addEventListener("click", () => this.pause(!this.paused));
    find("again").addEventListener("click", () => this.restart());
    find("back").addEventListener("click", () => this.goBack());
    find("fork").addEventListener("click", () => this.goBack(Math.floor(Math.random() * 1e6)));
    find("expect").addEventListener("click", () => this.expect());
    copyButton(find("python"), () => this.code.python);
    copyButton(find("shell"), () => this.code.shell);
    address.changed((state) => this.show(state));
    document.addEventListener("visibilitychange", () => { if (document.hidden) this.pause(true); });
  }

  begin() { this.show(this.address.state); }

  // What the run has been through is made again; then it stands still.
  show(state) {
    this.controls.state = state;
    this.last = this.controls.state;
    this.ask(state.past ?? "");
  }

  // What can change in flight does, if there is a run; anything else begins anew. A point behind a number changes nothing.
  changed(state) {
    const other = Object.keys(state).filter((name) => state[name] !== this.last[name]);
    if (!other.length) return;
    this.last = state;
    this.address.set({ ...this.controls.changed, past: other.every((name) => IN_FLIGHT.includes(name)) ? this.past : "" });
    if (this.history.steps.length && other.every((name) => IN_FLIGHT.includes(name))) {
      this.find("error").textContent = "";
      this.connection.tell(Object.fromEntries(other.map((name) => [name, state[name]])));
      if (other.some((name) => NEAR.includes(name))) this.look();
    } else this.ask();
  }

  ask(past = "") {
    this.past = past;
    this.empty();
    this.find("random").hidden = this.controls.state.problem !== "random";
    this.find("expected").textContent = "";
    this.find("error").textContent = "";
    this.showJumps();
    this.setPaused(Boolean(past));
    this.connection.ask("fall", { ...this.controls.state, past }, (frame) => this.hear(frame));
  }

  empty() {
    this.former = null;
    this.history = { steps: [], values: [], alive: [], jumps: [] };
  }

  restart() {
    this.address.set(this.controls.changed);
    this.ask();
  }

  // The landscape alone: the run goes on.
  look() {
    this.connection.ask("fall", { ...this.controls.state, do: "landscape" }, (frame) => frame.kind === "landscape" && this.hear(frame), "landscape");
  }

  pause(yes) { this.setPaused(yes); this.connection.tell({ paused: yes }); }

  setPaused(yes) { this.paused = yes; this.find("pause").textContent = yes ? "Go on" : "Pause"; }

  goBack(seed) {
    const message = { back: document.getElementById("back").value, paused: false };
    this.setPaused(false);
    this.connection.tell(seed === undefined ? message : { ...message, fork: seed });
  }

  expect() {
    const place = this.find("expected");
    place.textContent = "Twelve replicas are waiting for their first jump …";
    this.connection.ask("fall", { ...this.controls.state, do: "expect" }, ({ kind, facts }) => {
      if (kind === "error") place.textContent = facts.words;
      if (kind !== "expected") return;
      place.textContent = facts.jumps ? `From this minimum a jump takes ${integer(Math.round(facts.mean))} steps in the mean (95 %: ${integer(Math.round(facts.low))} to ${facts.high === null ? "no limit" : integer(Math.round(facts.high))}; ${facts.jumps} of ${facts.replicas} replicas jumped within 400,000).`
        : `None of ${facts.replicas} replicas jumped within 400,000 steps: more than ${integer(Math.round(facts.low))} in the mean (95 %).`;
      if (facts.caution) place.textContent += ` ${facts.caution}`;
    }, "expect");
  }

  hear({ kind, facts, arrays }) {
    if (kind === "error" || kind === "caution") this.find("error").textContent = facts.words;
    if (kind === "error") this.setPaused(true);
    else if (kind === "landscape") this.landscapeOf(facts, arrays);
    else if (kind === "ladder") this.near(facts);
    else if (kind === "begin") this.start(facts);
    else if (kind === "back") this.cut(facts.step);
    else if (kind === "run") this.step(facts, arrays);
  }

  start(facts) {
    // After a lost connection the run is made again, and stands still.
    if (this.history.steps.length) { this.empty(); this.setPaused(true); }
    this.coded(facts);
    this.find("state").textContent = this.controls.state.start === "minimum" ? "Descending to the minimum nearby …" : "The run begins …";
  }

  coded({ python, shell }) {
    this.code = { python, shell };
    this.find("lines").textContent = python;
  }

  near(facts) {
    const rungs = facts.rungs.map((rung) => `rank ${rung.rank}: ${rung.objective.toPrecision(3)}`).join(", ");
    this.find("ladder").textContent = `${integer(facts.entries)} of ${facts.shape[0]} × ${facts.shape[1]} entries are seen. Were all seen, a mode would need a size of ${facts.needed.toPrecision(3)} to have a minimum away from zero. Objective of the minima: ${rungs}.`;
  }

  landscapeOf(facts, arrays) {
    this.truth = facts.modes;
    this.landscape.marks = [facts.barrier, facts.minimum].filter((at) => at !== null).map((at) => ({ at }));
    this.landscape.draw(arrays.s, [{ values: arrays.objective, color: colorOf(0, 1), width: 2 }]);
    this.find("shape").textContent = facts.minimum === null ? "no minimum but zero: the mode dies"
      : `${facts.barrier === null ? "" : `barrier at ${facts.barrier.toPrecision(3)}, `}minimum at ${facts.minimum.toPrecision(3)}, ${facts.global ? "below" : "above"} that of zero`;
    this.modes(facts);
  }

  // The buttons stay while they say the same: one that was pressed keeps the focus.
  modes(facts) {
    const place = this.find("modes"), words = facts.modes.map((value, k) => `${k + 1}: ${value.toPrecision(3)}`);
    if (words.join() !== [...place.children].map((button) => button.textContent).join()) {
      place.replaceChildren(...words.map((text, k) => this.modeButton(text, k + 1)));
    }
    [...place.children].forEach((button, k) => button.setAttribute("aria-pressed", String(k + 1 === facts.mode)));
  }

  modeButton(text, mode) {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: text });
    button.addEventListener("click", () => {
      this.find("form").elements.mode.value = mode;
      this.changed(this.controls.state);
    });
    return button;
  }

  step(facts, arrays) {
    const { history } = this;
    if (!history.values.length) history.values = Array.from(arrays.values, () => []);
    arrays.steps.forEach((step, k) => {
      if (history.steps.length && step <= history.steps[history.steps.length - 1]) return;
      history.steps.push(step);
      history.values.forEach((values, j) => values.push(arrays.values[j][k]));
      history.alive.push(arrays.alive[k]);
    });
    history.jumps.push(...facts.jumps.map((jump) => [...jump, facts.seed]));
    this.thin();
    const count = history.values.length;
    this.values.levels = this.truth.slice(0, 6).map((value) => ({ value }));
    this.values.marks = history.jumps.map(([at]) => ({ at }));
    this.values.draw(history.steps, history.values.map((values, k) => ({ values, color: colorOf(k, count) })));
    this.drawAlive();
    this.coded(facts);
    if (!this.find("error").textContent) this.find("error").textContent = facts.note;
    if (!facts.again) this.follow(facts.past);
    this.words(facts);
    this.root.dataset.frames = Number(this.root.dataset.frames ?? 0) + 1;
    this.root.dataset.step = facts.step;
  }

  // The link holds what the run has been through; while that is made again it stays whole.
  follow(past) {
    if (past !== this.past) this.address.follow({ ...this.controls.changed, past });
    this.past = past;
    this.connection.recall("fall", { ...this.controls.state, past });
  }

  // Beside what another seed did from the same state, dashed.
  drawAlive() {
    const { history, former } = this;
    const x = former ? [...new Set([...history.steps, ...former.steps])].sort((a, b) => a - b) : history.steps;
    const curves = [{ values: former ? on(x, history.steps, history.alive) : history.alive, color: colorOf(1, 4), width: 2, stepped: true }];
    if (former) curves.push({ values: on(x, former.steps, former.alive), color: colorOf(0, 4), width: 2, stepped: true, dash: [5, 4] });
    this.alive.draw(x, curves);
  }

  words(facts) {
    this.find("state").textContent = `Step ${integer(facts.step)}: ${facts.alive} live mode${facts.alive === 1 ? "" : "s"}; training error ${facts.train.toPrecision(3)}, relative error of the whole matrix ${facts.test.toPrecision(3)}.`;
    this.find("speed").textContent = facts.speed ? `${integer(Math.round(facts.speed / 1000) * 1000)} steps/s possible` : "";
    const m = facts.margins;
    const inside = m && Math.min(m.balance, m.rank, m.norm) >= 0;
    this.find("margins").textContent = !m ? (Number(this.controls.state.depth) < 3 ? "At depth 2 a mode that died can come back: no set of low rank holds." : "The factors are too large for an absorbing set to be known.")
      : inside ? `Never upwards again: the point lies in the absorbing set of rank ${facts.alive} (margins: balance ${m.balance.toPrecision(2)}, rank ${m.rank.toPrecision(2)}, norm ${m.norm.toPrecision(2)}).`
      : `Not inside the absorbing set of rank ${facts.alive} yet (margins: balance ${m.balance.toPrecision(2)}, rank ${m.rank.toPrecision(2)}, norm ${m.norm.toPrecision(2)}; all must be positive).`;
    this.seed = facts.seed;
    this.showJumps();
  }

  showJumps() {
    const lines = [...this.history.jumps, ...this.former?.jumps ?? []].slice(-20);
    this.find("jumps").tBodies[0].replaceChildren(...lines.map((jump) => row(jump.map(integer))));
    this.find("nojump").hidden = lines.length > 0;
    this.find("former").textContent = !this.former ? "" : `Dashed: what it did before, with seed ${integer(this.former.seed)}, from step ${integer(this.former.from)} to ${integer(this.former.to)}.`;
  }

  // Memory stays bounded: of a long run every second point is kept.
  thin() {
    const { history } = this;
    if (history.steps.length <= LONGEST) return;
    const half = (values) => values.filter((_, k) => k % 2 === 0);
    history.steps = half(history.steps);
    history.values = history.values.map(half);
    history.alive = half(history.alive);
  }

  cut(step) {
    const { history } = this;
    this.former = former(history, step, this.seed);
    const kept = history.steps.filter((at) => at <= step).length;
    history.steps.length = kept;
    history.alive.length = kept;
    history.values.forEach((values) => { values.length = kept; });
    history.jumps = history.jumps.filter(([at]) => at <= step);
  }

  read(k, chart = this.values) {
    const [steps, values] = chart.plot?.data ?? [[]], step = steps[k];
    const live = chart === this.values ? this.history.alive[k] : values[k];
    const sizes = chart === this.values ? chart.plot.data.slice(1, 5).map((line) => line[k]?.toPrecision(3)).filter(Boolean).join(", ") : "";
    this.find("cursor").textContent = step === undefined || k === null ? "" : `step ${integer(step)}${live === undefined || live === null ? "" : `, ${live} live`}${sizes ? `: ${sizes}` : ""}`;
  }

  readLandscape(k) {
    const [sizes, heights] = this.landscape.plot?.data ?? [[], []];
    this.find("at").textContent = k === null ? "" : `objective ${heights[k].toPrecision(3)} at size ${sizes[k].toPrecision(3)}`;
  }
}

// What a run did after a step to which it is taken back.
function former({ steps, alive, jumps }, from, seed) {
  const first = steps.findIndex((at) => at > from);
  if (first < 0) return null;
  return { seed, from, to: steps[steps.length - 1], steps: steps.slice(first), alive: alive.slice(first), jumps: jumps.filter(([at]) => at > from) };
}

// Values at more steps than they were recorded at: none in between, which the curve spans.
function on(x, steps, values) {
  const known = new Map(steps.map((step, k) => [step, values[k]]));
  return x.map((step) => known.get(step) ?? (step < steps[0] || step > steps[steps.length - 1] ? null : undefined));
}
