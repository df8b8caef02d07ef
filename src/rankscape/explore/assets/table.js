// Rows and names of tables, as text: nothing of a name is ever read as a page.
export function cell(text, className = "") {
  return Object.assign(document.createElement("td"), { textContent: text, className });
}

export function header(text, scope) {
  return Object.assign(document.createElement("th"), { textContent: text, scope });
}

export function row(cells) {
  const line = document.createElement("tr");
  line.append(...cells.map((text) => text instanceof Node ? text : cell(text)));
  return line;
}
