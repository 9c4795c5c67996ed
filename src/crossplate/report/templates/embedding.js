// Samples before and after calibration, coloured by what the reader chooses.

const COLUMN_NAMES = { batch: "Batch", label: "Known label", called: "Call", subject: "Subject" };
const MOST_GROUPS = 24;
// Cividis: dark blue to yellow, alike to all kinds of colour vision.
const SCALE = ["#00224e", "#35456c", "#666970", "#948e77", "#c8b866", "#fee838"];

function startEmbedding(block, views) {
  const live = block.querySelector(".live");
  const state = { views, view: views[0], by: "batch", hidden: new Set(), words: "" };
  state.order = shuffled(views[0].sample?.length ?? views[0].before[0].length);
  const figure = make("figure");
  state.controls = make("div", { class: "tools" });
  state.legend = make("ul", { class: "legend" });
  state.panels = make("div", { class: "panels" });
  state.caption = make("figcaption");
  figure.append(state.controls, state.legend, state.panels, state.caption);
  live.append(figure);
  state.areas = ["before", "after"].map((when) => addPanel(state, when));
  addControls(state);
  live.hidden = false;
  block.classList.add("drawn");
  drawEmbedding(state);
  onTheme(() => drawEmbedding(state));
}

function addPanel(state, when) {
  const panel = make("div", { class: "panel grows" });
  const title = `${when === "before" ? "Before" : "After"} calibration`;
  const area = make("div", { role: "img", "data-when": when });
  panel.append(make("p", {}, title), area);
  state.panels.append(panel);
  return area;
}

// The same order each time, so that no group lies on top of all others.
function shuffled(n) {
  const order = Array.from({ length: n }, (_, place) => place);
  let seed = 1;
  for (let last = n - 1; last > 0; last -= 1) {
    seed = (seed * 48271) % 2147483647;
    const other = seed % (last + 1);
    [order[last], order[other]] = [order[other], order[last]];
  }
  return order;
}

function addControls(state) {
  if (state.views.length > 1) {
    addChoice(state, "Map", state.views.map((view) => [view.name, view]), "view");
  }
  const columns = Object.keys(COLUMN_NAMES).filter((name) => state.view.columns[name]);
  const choices = columns.map((name) => [COLUMN_NAMES[name], name]);
  if (state.view.confidence) choices.push(["Confidence", "confidence"]);
  if (choices.length > 1) addChoice(state, "Colour by", choices, "by");
  if (!state.view.sample) return;
  const search = make("input", { type: "search", placeholder: "Find a sample or subject" });
  search.setAttribute("aria-label", "Find a sample or subject in the picture");
  search.addEventListener("input", () => {
    state.words = search.value.trim().toLowerCase();
    drawEmbedding(state);
  });
  state.controls.append(search);
}

function addChoice(state, name, choices, key) {
  const group = make("div", { class: "choice", role: "group", "aria-label": name });
  group.append(make("span", { class: "soft" }, name));
  for (const [text, value] of choices) {
    const control = button(text, () => {
      state[key] = value;
      state.hidden.clear();
      for (const other of group.querySelectorAll("button")) {
        other.setAttribute("aria-pressed", String(other === control));
      }
      drawEmbedding(state);
    });
    control.setAttribute("aria-pressed", String(state[key] === value));
    group.append(control);
  }
  state.controls.append(group);
}

// Colour of each sample, and what the legend says: [colour, name, code].
function coloursOf(state) {
  if (state.by === "confidence") return confidenceColours(state.view.confidence);
  const { names, codes } = state.view.columns[state.by];
  const { palette, other } = DATA.colours;
  // Other colours for labels than for batches, as in the drawn figures.
  const first = state.by === "label" || state.by === "called" ? 2 : 0;
  const cycles = state.by === "subject" || names.length > palette.length;
  const colour = (code) => palette[(code + first) % palette.length];
  const legend = names.length > MOST_GROUPS ? [] : names.map((name, code) => [colour(code), name, code]);
  if (codes.includes(-1)) legend.push([other, state.by === "called" ? "not to be called" : "not known", -1]);
  const note = cycles ? "Colours repeat; point at a sample to read its name." : "";
  return { colours: codes.map((code) => (code < 0 ? other : colour(code))), codes, legend, note };
}

function confidenceColours(confidence) {
  const known = confidence.filter((value) => value !== null);
  const low = known.reduce((a, b) => Math.min(a, b));
  const high = known.reduce((a, b) => Math.max(a, b));
  const steps = SCALE.length - 1;
  const colour = (value) => {
    if (value === null) return DATA.colours.other;
    const at = high > low ? (steps * (value - low)) / (high - low) : 0;
    return mixed(SCALE[Math.floor(at)], SCALE[Math.min(steps, Math.floor(at) + 1)], at % 1);
  };
  const legend = SCALE.map((_, at) => {
    const value = low + ((high - low) * at) / steps;
    return [colour(value), cellText(value, "score").slice(0, 4), null];
  });
  if (known.length < confidence.length) legend.push([DATA.colours.other, "not to be called", null]);
  return { colours: confidence.map(colour), codes: null, legend, note: "" };
}

function mixed(one, other, share) {
  const part = (colour, at) => parseInt(colour.slice(at, at + 2), 16);
  const parts = [1, 3, 5].map((at) => Math.round(part(one, at) * (1 - share) + part(other, at) * share));
  return `#${parts.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}

function drawEmbedding(state) {
  const found = coloursOf(state);
  const seen = opacities(state, found.codes);
  drawLegend(state, found);
  const [xs, ys] = rangesOf(state.view);
  for (const area of state.areas) {
    const points = state.view[area.dataset.when];
    const trace = {
      type: "scatter", mode: "markers", hoverinfo: "text",
      x: state.order.map((at) => points[0][at]), y: state.order.map((at) => points[1][at]),
      marker: {
        color: state.order.map((at) => bright(found.colours[at])), opacity: state.order.map((at) => seen[at]),
        size: state.order.length > 1000 ? 5 : 7, line: { width: 0 },
      },
      hovertext: state.order.map((at) => sampleText(state.view, at)),
    };
    const free = { fixedrange: false };
    const layout = layoutOf({
      height: 360, dragmode: window.matchMedia("(pointer: coarse)").matches ? false : "zoom",
      xaxis: axisOf(state.view.axes[0], { range: xs, ...free }),
      yaxis: axisOf(state.view.axes[1], { range: ys, ...free }),
    });
    area.setAttribute("aria-label", `Samples ${area.dataset.when} calibration, coloured by ${state.by}.`);
    Plotly.react(area, [trace], layout, CONFIG);
  }
  state.caption.textContent = `${state.view.caption} ${found.note}`.trim();
}

function opacities(state, codes) {
  const { view, words, hidden } = state;
  const subjects = view.columns.subject;
  return view.before[0].map((_, at) => {
    if (codes && hidden.has(codes[at])) return 0;
    if (!words) return 0.75;
    const subject = subjects && subjects.codes[at] >= 0 ? subjects.names[subjects.codes[at]] : "";
    const hit = [view.sample[at], subject].some((name) => name.toLowerCase().includes(words));
    return hit ? 1 : 0.08;
  });
}

// Both panels share their axes.
function rangesOf(view) {
  return [0, 1].map((axis) => {
    const values = [...view.before[axis], ...view.after[axis]];
    const low = values.reduce((a, b) => Math.min(a, b));
    const high = values.reduce((a, b) => Math.max(a, b));
    const margin = 0.04 * (high > low ? high - low : 1);
    return [low - margin, high + margin];
  });
}

function sampleText(view, at) {
  const lines = view.sample ? [plain(view.sample[at])] : [];
  for (const [name, title] of Object.entries(COLUMN_NAMES)) {
    const column = view.columns[name];
    if (column && column.codes[at] >= 0) lines.push(`${title}: ${plain(column.names[column.codes[at]])}`);
  }
  if (view.confidence && view.confidence[at] !== null) {
    lines.push(`Confidence: ${cellText(view.confidence[at], "score")}`);
  }
  return lines.join("<br>");
}

function drawLegend(state, found) {
  state.legend.replaceChildren(...found.legend.map(([colour, name, code]) => {
    const item = make("li");
    const dot = make("span", { class: "dot", "aria-hidden": "true" });
    dot.style.background = colour;
    if (code === null) {
      item.append(dot, document.createTextNode(name));
      return item;
    }
    const control = button("", () => {
      if (!state.hidden.delete(code)) state.hidden.add(code);
      drawEmbedding(state);
    });
    control.append(dot, document.createTextNode(name));
    control.setAttribute("aria-pressed", String(!state.hidden.has(code)));
    control.title = "Show or hide";
    item.append(control);
    return item;
  }));
}
