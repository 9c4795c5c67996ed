// Box plot of the feature that is chosen in the table of biomarkers.

const WIDE_RANGE = 20;
const LARGE = 1e6;
const MOST_CHARACTERS = 24;

function startBoxes(block, boxes, first) {
  const live = block.querySelector(".live");
  const state = { boxes, feature: first ?? Object.keys(boxes.features)[0] };
  const figure = make("figure");
  state.title = make("p", { role: "status" });
  state.area = make("div", { role: "img" });
  const panel = make("div", { class: "panel whole" });
  panel.append(state.title, boxLegend(boxes), state.area);
  figure.append(panel, make("figcaption", {}, "Median of each subject's samples, original units."
    + " Box: quartiles and median; whiskers: farthest value within 1.5 interquartile ranges."
    + " Choose a feature in the table below."));
  live.append(figure);
  live.hidden = false;
  block.classList.add("drawn");
  drawBoxes(state);
  onTheme(() => drawBoxes(state));
  return (feature) => {
    state.feature = feature;
    drawBoxes(state);
  };
}

function boxLegend(boxes) {
  const legend = make("ul", { class: "legend" });
  boxes.labels.forEach((label, place) => {
    const item = make("li");
    const dot = make("span", { class: "dot", "aria-hidden": "true" });
    dot.style.background = labelColour(place);
    item.append(dot, document.createTextNode(label));
    legend.append(item);
  });
  return legend;
}

function labelColour(place) {
  const { palette } = DATA.colours;
  return palette[place % palette.length];
}

function drawBoxes(state) {
  const { boxes, feature } = state;
  const known = Object.hasOwn(boxes.features, feature) ? boxes.features[feature] : null;
  state.title.textContent = known ? `${feature} by batch and label`
    : `${feature}: no box plot, since only the first features have one`;
  state.area.setAttribute("aria-label", state.title.textContent);
  if (!known) {
    Plotly.purge(state.area);
    return;
  }
  const traces = boxes.labels.map((label, place) => boxTrace(boxes, known, label, place));
  const values = known.filter(Boolean).flatMap((box) => box.slice(1));
  const wide = Math.min(...values) > 0 && Math.max(...values) > WIDE_RANGE * Math.min(...values);
  const large = Math.max(...values) >= LARGE ? { exponentformat: "power" } : {};
  const layout = layoutOf({
    height: 300, boxmode: "group", boxgap: 0.25,
    xaxis: axisOf("", {
      tickvals: boxes.batches.map((_, at) => at), range: [-0.6, boxes.batches.length - 0.4],
      ticktext: boxes.batches.map((batch) => plain(clip(batch, MOST_CHARACTERS))),
    }),
    yaxis: axisOf("subject median", { ...large, ...(wide ? { type: "log" } : {}) }),
  });
  Plotly.react(state.area, traces, layout, CONFIG);
}

// A box is n, low, q1, median, q3, high and outliers.
function boxTrace(boxes, known, label, place) {
  const columns = boxes.batches
    .map((_, at) => [at, known[at * boxes.labels.length + place]])
    .filter(([, box]) => box);
  const part = (at) => columns.map(([, box]) => box[at]);
  // Plotly draws nothing where the first list is empty; a median among them is not shown.
  const outliers = columns.map(([, box]) => (box.length > 6 ? box.slice(6) : [box[3]]));
  return {
    type: "box", name: plain(label), x: columns.map(([at]) => at),
    lowerfence: part(1), q1: part(2), median: part(3), q3: part(4), upperfence: part(5),
    y: outliers, boxpoints: "outliers", jitter: 0, pointpos: 0,
    marker: { color: bright(labelColour(place)), size: 4 }, line: { width: 1.4 },
  };
}
