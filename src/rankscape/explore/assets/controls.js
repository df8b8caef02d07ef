// Fields of a form as a state of text; a slider beside a field moves it, by powers of ten where it says so.
export class Controls {
  constructor(form, listener) {
    this.form = form;
    this.listener = listener;
    this.sliders = [...form.querySelectorAll("input[type=range][data-for]")];
    for (const slider of this.sliders) {
      slider.addEventListener("input", () => {
        form.elements[slider.dataset.for].value = this.fromSlider(slider);
        this.words(slider);
        listener(this.state);
      });
    }
    form.addEventListener("input", (event) => {
      if (event.target.dataset.for || !event.target.name) return;
      this.follow();
      listener(this.state);
    });
    form.addEventListener("submit", (event) => event.preventDefault());
  }

  fromSlider(slider) {
    const value = Number(slider.value);
    if (slider.dataset.scale !== "log") return String(value);
    return String(Number((10 ** value).toPrecision(slider.dataset.whole ? 2 : 3)));
  }

  words(slider) { slider.setAttribute("aria-valuetext", this.form.elements[slider.dataset.for].value); }

  follow() {
    for (const slider of this.sliders) {
      const value = Number(this.form.elements[slider.dataset.for].value);
      if (Number.isFinite(value) && (slider.dataset.scale !== "log" || value > 0)) {
        slider.value = slider.dataset.scale === "log" ? Math.log10(value) : value;
      }
      this.words(slider);
    }
  }

  get state() {
    const named = [...this.form.elements].filter((field) => field.name && !field.disabled && field.type !== "file");
    return Object.fromEntries(named.map((field) => [field.name, field.type === "checkbox" ? String(field.checked) : field.value.trim()]));
  }

  set state(state) {
    for (const field of this.form.elements) {
      if (!field.name || field.type === "file") continue;
      const value = state[field.name] ?? field.defaultValue ?? "";
      if (field.type === "checkbox") field.checked = value === "true";
      else if (field.tagName === "SELECT") field.value = state[field.name] ?? usualOf(field);
      else field.value = value;
    }
    this.follow();
  }

  // Only what differs from the form as it was sent: short addresses.
  get changed() {
    return Object.fromEntries(Object.entries(this.state).filter(([name, value]) => value !== usualOf(this.form.elements[name])));
  }
}

// Of a list that the server fills there is no usual choice: what is chosen stands in the address.
function usualOf(field) {
  if (field.dataset.usual !== undefined) return field.dataset.usual;
  if (field.type === "checkbox") return String(field.defaultChecked);
  if (field.tagName !== "SELECT") return field.defaultValue;
  return ([...field.options].find((option) => option.defaultSelected) ?? field.options[0]).value;
}

export function copyButton(button, text) {
  const usual = button.textContent;
  button.addEventListener("click", async () => {
    const copied = await navigator.clipboard.writeText(text()).then(() => true, () => false);
    button.textContent = copied ? "Copied" : "Select and copy below";
    setTimeout(() => { button.textContent = usual; }, 1500);
  });
}

export const integer = (value) => value === null || value === undefined ? "" : Number(value).toLocaleString("en");
