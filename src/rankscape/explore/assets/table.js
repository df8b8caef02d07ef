// Rows and names of tables, as text: nothing of a name is ever read as a page.
const LONGEST = 40;

export function cell(text, className = "") {
  return Object.assign(document.createElement("td"), { textContent: text, className });
}

// A long name is cut, and whole where one points at it.
export const brief = (name) => [...String(name)].length > LONGEST ? `${[...String(name)].slice(0, LONGEST - 1).join("")}…` : String(name);

export function header(text, scope) {
  const element = Object.assign(document.createElement("th"), { textContent: brief(text), scope });
  if (element.textContent !== String(text)) element.title = text;
  return element;
}

export function row(cells) {
  const line = document.createElement("tr");
  line.append(...cells.map((text) => text instanceof Node ? text : cell(text)));
  return line;
}
