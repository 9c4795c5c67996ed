// Small helpers of all parts, and the choice of light or dark.

// Make an element; text is only ever set as text, never as markup.
function make(tag, attributes = {}, text = null) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== null) element.textContent = text;
  return element;
}

function button(text, onClick) {
  const made = make("button", { type: "button" }, text);
  made.addEventListener("click", onClick);
  return made;
}

function readData() {
  return JSON.parse(document.getElementById("data").textContent);
}

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  if (chosen) return chosen === "dark";
  return window.matchMedia("(prefers-color-scheme: dark)").matches;
}

function colourOf(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// As the page's filter does with drawings: the darker colours sink into a dark ground.
function bright(colour) {
  if (!isDark()) return colour;
  const parts = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  return `rgb(${parts.map((part) => Math.min(255, Math.round(1.25 * part))).join(",")})`;
}

// Call back whenever the page turns light or dark.
function onTheme(redraw) {
  document.addEventListener("theme", redraw);
}

function announceTheme() {
  document.getElementById("theme").textContent = isDark() ? "Light" : "Dark";
  document.dispatchEvent(new Event("theme"));
}

function startTheme() {
  const control = document.getElementById("theme");
  control.hidden = false;
  control.setAttribute("aria-label", "Switch between light and dark");
  control.addEventListener("click", () => {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    announceTheme();
  });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", announceTheme);
  announceTheme();
}

function startContents() {
  const contents = document.getElementById("contents");
  for (const heading of document.querySelectorAll("main h2[id]")) {
    contents.append(make("a", { href: `#${heading.id}` }, heading.textContent));
  }
  contents.hidden = contents.childElementCount < 3;
}
