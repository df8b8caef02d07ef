// Runs: a sweep as a table of coloured cells, each a button that shows its run; it follows a store that is being filled.
import { Chart, colorOf, shade } from "../chart.js";
import { Controls, copyButton, integer } from "../controls.js";
import { header, row } from "../table.js";

export function mount(page) { new Runs(page).begin(); }

class Runs {
  constructor({ root, address, connection, find }) {
    Object.assign(this, { root, address, connection, find });
    this.controls = new Controls(find("form"), () => this.ask());
    this.paths = new Chart(find("paths"), { name: "Values of the run", height: 300, x: "step", y: "value", least: 0, cursor: (k) => this.read(k, this.paths) });
    this.staircase = new Chart(find("staircase"), { name: "Effective rank", height: 150, x: "step", y: "rank", least: 0, cursor: (k) => this.read(k, this.staircase) });
    this.code = { python: "", shell: "" };
    copyButton(find("python"), () => this.code.python);
    copyButton(find("shell"), () => this.code.shell);
    address.changed((state) => this.show(state));
  }

  begin() { this.show(this.address.state); }

  show(state) {
    this.wanted = state;
    for (const name of ["x", "y", "value"]) if (state[name]) options(this.find(name), [state[name]], state[name]);
    this.controls.state = state;
    this.ask(false);
    if (state.run) this.open(state.run, false);
  }

  ask(remember = true) {
    const state = this.controls.state;
    if (remember) this.address.set(this.controls.changed);
    this.find("error").textContent = "";
    this.connection.ask("sweep", { ...state, run: "" }, (frame) => this.hear(frame));
  }

  open(run, remember = true) {
    this.find("form").elements.run.value = run;
    if (remember) this.address.set(this.controls.changed);
    this.connection.ask("sweep", { run }, (frame) => this.hear(frame), "run");
  }

  hear({ kind, facts, arrays }) {
    if (kind === "error") {
      this.find("error").textContent = facts.words;
      this.find("status").textContent = "";
    }
    else if (kind === "empty") { this.find("empty").hidden = false; this.find("form").hidden = true; }
    else if (kind === "diagram") this.diagram(facts, arrays);
    else if (kind === "theory") this.theory(arrays.grid);
    else if (kind === "curves") this.curves(facts, arrays);
  }

  // The lines of what was asked for last: the diagram, or the run of a cell.
  coded({ python, shell }) {
    if (!python) return;
    this.code = { python, shell };
    this.find("code").hidden = false;
    this.find("lines").textContent = `${python}\n${shell}`;
  }

  read(k, chart) {
    const [steps, ...curves] = chart.plot?.data ?? [[]];
    const numbers = curves.slice(0, 4).map((values) => values[k]).filter(Number.isFinite).map((value) => Number(value.toPrecision(4)));
    this.find("cursor").textContent = k === null || steps[k] === undefined ? "" : `step ${integer(steps[k])}: ${numbers.join(", ")}`;
  }

  diagram(facts, arrays) {
    if (!this.find("form").elements.run.value) this.coded(facts);
    this.facts = facts;
    this.find("status").textContent = `${integer(facts.done)} of ${integer(facts.runs)} runs are made${facts.failed ? `, ${integer(facts.failed)} ended badly` : ""}; ${facts.state}.`;
    if (!facts.x) return;
    options(this.find("x"), facts.axes, facts.x);
    options(this.find("y"), facts.axes, facts.y);
    options(this.find("value"), facts.values, facts.value);
    const slider = this.find("form").querySelector("input[type=range]");
    slider.max = Math.max(1, facts.records - 1);
    this.find("diagram").hidden = false;
    const step = facts.step === null ? "" : ` at step ${integer(facts.step)}`;
    const mean = facts.averaged.length ? `; means over ${facts.averaged.join(", ")}` : "";
    this.find("caption").textContent = `${facts.value.replaceAll("_", " ")}${step}${mean}`;
    this.find("sampling").textContent = facts.sampling;
    this.draw(arrays.grid);
    this.root.dataset.drawn = Number(this.root.dataset.drawn ?? 0) + 1;
  }

  draw(grid) {
    const { facts } = this;
    this.grid = grid;
    const known = grid.flatMap((line) => [...line]).filter(Number.isFinite);
    const low = Math.min(...known), high = Math.max(...known);
    const lines = grid.map((line, j) => {
      return row([header(facts.ys[j], "row"), ...[...line].map((value, i) => this.cell(value, facts.runs_of[j][i], low, high))]);
    }).reverse();
    const corner = header(facts.y ? `${facts.y} ↑  ${facts.x} →` : `${facts.x} →`, "row");
    const foot = row([corner, ...facts.xs.map((x) => header(x, "col"))]);
    this.find("grid").replaceChildren(...lines, foot);
    this.find("scale").textContent = known.length ? `Dark is ${Number(low.toPrecision(4))}, light is ${Number(high.toPrecision(4))}. A cell opens its run.` : "No run is made yet.";
  }

  cell(value, run, low, high) {
    const cell = document.createElement("td");
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: Number.isFinite(value) ? Number(value.toPrecision(3)) : "–" });
    const share = high > low ? (value - low) / (high - low) : 0.5;
    if (Number.isFinite(value)) {
      button.style.background = shade(share);
      button.style.color = share > 0.55 ? "#14181d" : "#ffffff";
    }
    button.disabled = run < 0;
    button.addEventListener("click", () => this.open(run));
    cell.append(button);
    return cell;
  }

  theory(grid) {
    const rows = [...this.find("grid").rows].slice(0, -1).reverse();
    let worst = 0;
    grid.forEach((line, j) => line.forEach((value, i) => {
      if (!Number.isFinite(value)) return;
      const button = rows[j].cells[i + 1].firstChild;
      const shown = this.grid[j][i];
      worst = Math.max(worst, Number.isFinite(shown) ? Math.abs(shown - value) : 0);
      button.append(Object.assign(document.createElement("small"), { textContent: `theory ${Number(value.toPrecision(3))}` }));
    }));
    this.find("scale").textContent += ` Theory (the recursion of single eigenvalues) stands below each number, and is at most ${worst.toPrecision(2)} away.`;
  }

  curves(facts, arrays) {
    if (this.find("status").textContent.startsWith("Reading")) this.find("status").textContent = "";
    this.coded(facts);
    this.find("words").textContent = facts.words;
    this.find("curves").hidden = !arrays.values && !arrays.rank;
    // Of a single run there is nothing to choose.
    if (facts.run === undefined) for (const field of this.find("form").querySelectorAll("div:not(.buttons)")) field.hidden = true;
    this.find("numbers").replaceChildren(...Object.entries(facts.numbers ?? {}).map(([name, value]) => row([header(name, "row"), value])));
    if (arrays.values) {
      this.find("drawn").textContent = `${facts.drawn[0].toUpperCase()}${facts.drawn.slice(1)}`;
      this.paths.draw(arrays.steps, arrays.values.map((values, k) => ({ values, color: colorOf(k, arrays.values.length) })));
    }
    this.find("rankfigure").hidden = !arrays.rank;
    if (arrays.rank) this.staircase.draw(arrays.steps, [{ values: arrays.rank, color: colorOf(0, 1), width: 2 }]);
    this.root.dataset.run = facts.run ?? "";
  }
}

function options(select, names, chosen) {
  select.replaceChildren(...names.map((name) => new Option(name.replaceAll("_", " "), name)));
  select.value = chosen;
}
