// Complete: a file dropped or a data set taken; the holes first, then the work, then what was found.
import { css } from "../chart.js";
import { Controls, copyButton, integer } from "../controls.js";
import { droppable, names, send } from "../given.js";
import { brief, cell, header, row } from "../table.js";

const RULES = { column_mean: "the mean of the column", row_column_bias: "row and column means", nearest_rows: "the mean of near rows" };

// Characters of rows that one message takes.
const LONGEST = 500000;

export function mount(page) { new Complete(page).begin(); }

class Complete {
  constructor({ root, address, connection, find }) {
    Object.assign(this, { root, address, connection, find });
    this.code = { python: "", shell: "" };
    this.controls = new Controls(find("form"), () => this.ready());
    find("file").addEventListener("change", (event) => this.drop(event.target.files[0]));
    find("named").addEventListener("change", (event) => this.take(event.target.value));
    find("go").addEventListener("click", () => this.ask());
    find("cancel").addEventListener("click", () => this.cancel());
    find("fill").addEventListener("click", () => this.fill());
    copyButton(find("python"), () => this.code.python);
    copyButton(find("shell"), () => this.code.shell);
    droppable(root, find("drop"), (file) => this.drop(file));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.paint());
    address.changed((state) => this.show(state));
  }

  begin() {
    names(this.connection, this.find("named"), () => this.find("table").value);
    this.show(this.address.state);
    // Chosen before this script came.
    if (!this.address.state.table) this.drop(this.find("file").files[0]);
  }

  show(state) {
    this.controls.state = state;
    this.find("reading").open = [...this.find("reading").querySelectorAll("[name]")].some(({ name }) => name in state);
    this.ready();
    if (state.table) this.ask(false);
  }

  ready() { this.find("go").disabled = !this.find("table").value; }

  take(name) {
    this.find("table").value = name;
    this.ready();
    if (name) this.ask();
  }

  async drop(file) {
    if (!file) return;
    this.complain("");
    this.stage(`Reading ${file.name} …`);
    const number = await send(file, (words) => { this.stage(""); this.complain(words); });
    if (number === null) return;
    this.find("named").value = "";
    this.take(number);
  }

  ask(remember = true) {
    if (remember) this.address.set(this.controls.changed);
    this.complain("");
    this.find("found").hidden = true;
    this.find("files").replaceChildren();
    this.find("filled").replaceChildren();
    this.busy(true);
    this.forget();
    this.cancelled = this.known = false;
    this.stage("Reading …");
    this.asked = this.connection.ask("complete", this.controls.state, (frame) => this.hear(frame));
  }

  // What was on its way when somebody cancelled is not shown any more.
  cancel() {
    this.cancelled = true;
    this.connection.stop("main");
    this.busy(false);
    this.stage("Cancelled.");
  }

  // Ranks of another table, or of other settings, say nothing here; those above a bound stay to choose from.
  forget() {
    const { max_rank: bound, ...others } = this.controls.state;
    const key = JSON.stringify(others);
    if (key !== this.key) this.tried = new Map();
    this.key = key;
  }

  busy(yes) {
    this.find("cancel").hidden = !yes;
    this.find("go").textContent = yes ? "Again" : "Complete";
    this.root.setAttribute("aria-busy", String(yes));
  }

  complain(words) { this.find("error").textContent = words; }

  stage(words) { this.find("stage").textContent = words; }

  hear({ kind, facts, arrays }) {
    if (this.cancelled) return;
    if (kind === "begin") {
      this.code = facts;
      this.find("lines").textContent = `${facts.python}\n${facts.shell}`;
    } else if (kind === "stage") this.stage(`${facts.words[0].toUpperCase()}${facts.words.slice(1)}${facts.rank ? `, at rank ${facts.rank}` : ""} …`);
    else if (kind === "read") this.read(facts, arrays);
    else if (kind === "done") this.done(facts, arrays);
    else if (kind === "files") this.files(facts);
    else if (kind === "rows") this.rows(facts);
    else if (kind === "error") {
      // What the file does not tell can be said here.
      if (!this.known) this.find("reading").open = true;
      this.complain(facts.words); 
      this.stage("");
      this.busy(false);
    }
  }

  read(facts, arrays) {
    const [rows, columns] = facts.shape, cells = rows * columns;
    this.known = true;
    this.find("read").hidden = false;
    this.find("readas").textContent = `${facts.name}: ${facts.read_as}; ${integer(facts.observed)} of ${integer(cells)} cells are seen${facts.hidden ? `, ${integer(facts.hidden)} are hidden to compare with` : ""}.`;
    this.find("names").textContent = facts.columns.length ? `Columns: ${facts.columns.map(brief).join(", ")}${columns > facts.columns.length ? " …" : ""}` : "";
    this.find("sampling").textContent = facts.sampling;
    this.find("said").replaceChildren(...facts.warnings.map(warning));
    this.find("share").textContent = `${(100 * facts.observed / cells).toFixed(1)} %`;
    this.seen = arrays.seen;
    this.pictures = null;
    this.paint();
    this.root.dataset.read = "yes";
  }

  paint() {
    if (this.seen) holes(this.find("seen"), this.seen);
    for (const name of ["given", "completed"]) this.find(`${name}map`).hidden = !this.pictures;
    if (this.pictures) for (const name of ["given", "completed"]) picture(this.find(name), this.pictures[name]);
  }

  done(facts, arrays) {
    this.busy(false);
    this.found = facts;
    this.find("found").hidden = false;
    this.stage("");
    this.pictures = arrays;
    this.paint();
    const error = facts.expected ?? facts.heldout;
    const units = facts.units === "the units of the data" ? "" : ` ${facts.units}`;
    this.find("heading").textContent = `Rank ${facts.rank}${error === null ? "" : `; filled cells are off by about ${error.toPrecision(3)}${units}`}`;
    this.find("verdict").className = facts.trusted ? "good" : "error";
    this.find("verdict").textContent = facts.trusted ? "Nothing speaks against this completion." : "Look before you trust it:";
    this.find("warnings").replaceChildren(...facts.warnings.map(warning));
    this.find("why").replaceChildren(...facts.explained.map((words) => Object.assign(document.createElement("p"), { textContent: words })));
    const lines = [["this model", facts.heldout], ...Object.entries(facts.baselines).map(([name, value]) => [RULES[name] ?? name.replaceAll("_", " "), value])];
    if (facts.hidden !== null) lines.push(["this model, on the share that was hidden", facts.hidden]);
    this.find("errors").tBodies[0].replaceChildren(...lines.map(([name, value]) => row([name, value === null ? "–" : value.toPrecision(4)])));
    this.ranks(facts);
    this.cells(facts);
    this.find("outliers").hidden = !facts.outliers.length;
    this.find("outlying").textContent = facts.outlying > facts.outliers.length ? `The first ${facts.outliers.length} of ${integer(facts.outlying)}.` : "";
    this.find("wrong").tBodies[0].replaceChildren(...facts.outliers.map(([r, c, given, fitted]) => row([brief(r), brief(c), short(given), short(fitted)])));
    this.root.dataset.done = Number(this.root.dataset.done ?? 0) + 1;
  }

  ranks(facts) {
    for (const [rank, error] of facts.path) if (rank > 0 && !this.tried.has(rank)) this.tried.set(rank, error);
    const field = this.find("form").elements.max_rank;
    const choose = (rank) => { field.value = rank; this.ask(); };
    const buttons = [...this.tried].sort(([a], [b]) => a - b).slice(0, 24).map(([rank, error]) => {
      const button = press(`${rank}: ${error.toPrecision(3)}`, () => choose(rank));
      button.title = `held-out error at rank ${rank}`;
      button.setAttribute("aria-pressed", String(rank === facts.rank));
      return button;
    });
    if (field.value) buttons.push(press("any rank", () => choose("")));
    this.find("ranks").replaceChildren(...buttons);
  }

  cells(facts) {
    const { table } = facts;
    const more = facts.shape[0] > table.length || facts.shape[1] > table[0].length;
    this.find("legend").textContent = `Filled cells are shaded, with their standard error${facts.undetermined ? "; those in orange the entries leave open" : ""}.${more ? " The first rows and columns; the rest is in the file." : ""}`;
    const head = row([document.createElement("th"), ...facts.column_names.slice(0, table[0].length).map((name) => header(name, "col"))]);
    this.find("cells").replaceChildren(head, ...table.map((cells, i) => row([header(facts.row_names[i], "row"), ...cells.map(shown)])));
  }

  files({ number, names }) {
    this.stage("");
    const words = { table: "Save the completed table", errors: "Save the standard errors", report: "Save the report", model: "Save the model" };
    const links = Object.entries(names).map(([kind, name]) => link(words[kind], `/kept/${number}/${kind}?name=${encodeURIComponent(name)}`, name));
    const stem = names.report.replace(/-report\.html$/, "");
    for (const [words, text, end] of [["Python", this.code.python, "py"], ["shell", this.code.shell, "sh"]]) {
      links.push(link(`Save the ${words} lines`, URL.createObjectURL(new Blob([text], { type: "text/plain" })), `${stem}.${end}`));
    }
    if (names.report) links.push(link("Look at the report", `/kept/${number}/report?look`, null));
    this.find("files").replaceChildren(...links);
  }

  fill() {
    this.find("rowerror").textContent = "";
    const text = this.find("rows").value;
    if (text.length > LONGEST) this.find("rowerror").textContent = "These rows are too long to paste: put them in a file, and use `rankscape fill`.";
    else this.connection.tell({ rows: text });
  }

  rows({ error, cells, names }) {
    this.find("rowerror").textContent = error ?? "";
    if (error) return;
    const head = row(names.map((name) => header(name, "col")));
    this.find("filled").replaceChildren(head, ...cells.map((line) => row(line.map(([value, filled]) => cell(short(value), filled ? "filled" : "")))));
  }
}

const short = (value) => Math.abs(value) >= 1e6 || (value !== 0 && Math.abs(value) < 1e-4) ? value.toExponential(3) : String(Number(value.toPrecision(5)));

const warning = (words) => Object.assign(document.createElement("li"), { className: "warning", textContent: words });

function press(words, act) {
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: words });
  button.addEventListener("click", act);
  return button;
}

// A cell of the completed table: what was filled has its standard error, and a mark where the entries leave it open.
function shown([value, filled, error, doubtful]) {
  const element = cell(value === null ? "" : short(value), !filled ? "" : doubtful ? "filled doubtful" : "filled");
  if (filled && error !== null) element.append(Object.assign(document.createElement("small"), { textContent: ` ± ${Number(error.toPrecision(2))}` }));
  return element;
}

function link(words, href, name) {
  const element = Object.assign(document.createElement("a"), { textContent: words, href, className: "button" });
  if (name) element.download = name; else { element.target = "_blank"; element.rel = "noopener"; }
  return element;
}

function onCanvas(canvas, matrix, color) {
  const rows = matrix.length, columns = matrix[0].length;
  canvas.width = columns;
  canvas.height = rows;
  canvas.style.aspectRatio = `${columns} / ${Math.min(rows, 2 * columns)}`;
  const context = canvas.getContext("2d"), image = context.createImageData(columns, rows);
  matrix.forEach((line, i) => line.forEach((value, j) => { image.data.set([...color(value), 255], 4 * (i * columns + j)); }));
  context.putImageData(image, 0, 0);
}

const rgb = (text) => { const n = parseInt(text.slice(1), 16); return [n >> 16, (n >> 8) & 255, n & 255]; };
const mixed = (a, b, share) => a.map((c, k) => Math.round(c + share * (b[k] - c)));

// Seen cells dark, holes light; of a large table the share of each block.
function holes(canvas, seen) {
  const from = rgb(css("--grid")), to = rgb(css("--blue"));
  onCanvas(canvas, seen, (share) => mixed(from, to, share));
}

// Small values dark, large ones light; holes in the colour of what is missing in all pictures of rankscape.
function picture(canvas, values) {
  const stops = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]], hole = [243, 217, 201];
  onCanvas(canvas, values, (value) => {
    if (Number.isNaN(value)) return hole;
    const at = value * (stops.length - 1), low = Math.min(Math.floor(at), stops.length - 2);
    return mixed(stops[low], stops[low + 1], at - low);
  });
}
