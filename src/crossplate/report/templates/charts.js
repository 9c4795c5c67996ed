// Charts that are hovered: bars, lines, dots and histograms, drawn by Plotly from plain data.

const CONFIG = { displayModeBar: false, responsive: true, doubleClick: "reset" };
const BAR_ROW = 46;

// Plotly reads a few tags in texts; names of the user's must not be taken for them.
function plain(text) {
  return String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}

function pageFont() {
  return getComputedStyle(document.body).fontFamily;
}

function clip(text, most) {
  const line = String(text).replace(/\s+/g, " ");
  return line.length <= most ? line : `${line.slice(0, most - 1)}…`;
}

function axisOf(title, more = {}) {
  return {
    title: { text: plain(title), standoff: 6 },
    gridcolor: colourOf("--grid"), linecolor: colourOf("--soft"), tickcolor: colourOf("--soft"),
    showline: true, zeroline: false, ticks: "outside", ticklen: 4, nticks: 6, fixedrange: true,
    automargin: true, exponentformat: "none", ...more,
  };
}

function layoutOf(more) {
  return {
    font: { family: pageFont(), size: 12, color: colourOf("--text") },
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    margin: { l: 56, r: 12, t: 8, b: 44 }, showlegend: false, dragmode: false,
    hovermode: "closest",
    hoverlabel: {
      bgcolor: colourOf("--band"), bordercolor: colourOf("--line"),
      font: { family: pageFont(), color: colourOf("--text") }, align: "left",
    },
    ...more,
  };
}

function lineShape(x, y0, y1, reference = "y") {
  return {
    type: "line", xref: "x", yref: reference, x0: x, x1: x, y0, y1,
    line: { color: bright(DATA.colours.palette[1]), width: 3 },
  };
}

// Grey of the page stands for what is not crossplate's own.
function barColour(bar) {
  return bright(bar.own ? DATA.colours.own : DATA.colours.other);
}

function hasLine(bar) {
  return bar.line !== undefined && bar.line !== null;
}

function barFigure(chart) {
  const places = chart.bars.map((_, place) => place);
  const trace = {
    type: "bar", orientation: "h", y: places, x: chart.bars.map((bar) => bar.value),
    width: 0.36, marker: { color: chart.bars.map(barColour) }, hoverinfo: "text",
    hovertext: chart.bars.map((bar) => barHover(bar, chart)),
  };
  const ends = chart.bars.map((bar) => Math.max(bar.value, bar.line ?? 0, bar.reach?.[1] ?? 0));
  const longest = chart.whole ? 1 : Math.max(...ends) || 1;
  const shapes = places.filter((place) => hasLine(chart.bars[place]))
    .map((place) => lineShape(chart.bars[place].line, place - 0.26, place + 0.26));
  const layout = layoutOf({
    height: 34 + BAR_ROW * chart.bars.length, margin: { l: 8, r: 8, t: 2, b: 26 }, shapes,
    xaxis: axisOf("", { range: [0, 1.16 * longest], showgrid: false }),
    yaxis: { range: [chart.bars.length - 0.7, -0.75], visible: false, fixedrange: true },
    annotations: places.flatMap(
      (place) => barTexts(chart.bars[place], place, ends[place] + 0.015 * longest)),
  });
  return { traces: [trace, ...reachTraces(chart)], layout };
}

// Lines of the intervals, of the bars that have one.
function reachTraces(chart) {
  return chart.bars.flatMap((bar, place) => (bar.reach ? [{
    type: "scatter", mode: "lines+markers", x: bar.reach, y: [place, place], hoverinfo: "skip",
    line: { color: colourOf("--text"), width: 1.2 },
    marker: { symbol: "line-ns-open", size: 7, color: colourOf("--text") },
  }] : []));
}

function barHover(bar, chart) {
  const lines = [plain(bar.name), cellText(bar.value, "score")];
  if (bar.reach) lines.push(`${cellText(bar.reach[0], "score")} to ${cellText(bar.reach[1], "score")}`);
  if (hasLine(bar)) lines.push(`${chart.line}: ${cellText(bar.line, "score")}`);
  return lines.join("<br>");
}

function barTexts(bar, place, end) {
  const font = { size: 12, color: colourOf("--text") };
  const name = { text: plain(clip(bar.name, 48)), x: 0, y: place - 0.25, yanchor: "bottom" };
  const value = { text: cellText(bar.value, "score"), x: end, y: place, yanchor: "middle" };
  return [name, value].map((one) => (
    { ...one, xanchor: "left", align: "left", borderpad: 0, showarrow: false, font }));
}

function lineFigure(chart) {
  const { palette } = DATA.colours;
  const traces = chart.lines.map((line, place) => ({
    type: "scatter", mode: line.low || line.x.length === 1 ? "lines+markers" : "lines",
    x: line.x, y: line.y, line: { color: bright(palette[place % palette.length]), width: 1.6 },
    marker: { size: 7 }, hoverinfo: "text",
    hovertext: line.x.map((x, at) => lineHover(chart, line, at)),
    ...(line.low ? { error_y: lineErrors(line) } : {}),
  }));
  const range = chart.unit ? { range: [-0.02, 1.02] } : {};
  const upwards = chart.log ? { type: "log", dtick: 1 } : { rangemode: "tozero" };
  const layout = layoutOf({
    height: chart.unit ? 340 : 240,
    xaxis: axisOf(chart.x, { ...range }),
    yaxis: axisOf(chart.y, chart.unit ? range : upwards),
    shapes: chart.diagonal ? [diagonal(1)] : [],
  });
  return { traces, layout };
}

function lineErrors(line) {
  return {
    type: "data", symmetric: false, thickness: 1.2, width: 3,
    array: line.high.map((high, at) => Math.max(0, high - line.y[at])),
    arrayminus: line.low.map((low, at) => Math.max(0, line.y[at] - low)),
  };
}

function lineHover(chart, line, at) {
  const lines = [
    plain(line.name), `${plain(chart.x)} ${cellText(line.x[at], chart.unit ? "score" : "count")}`,
    `${plain(chart.y)} ${chart.unit ? cellText(line.y[at], "score") : line.y[at]}`,
  ];
  if (line.low) {
    lines.push(`${cellText(line.low[at], "score")} to ${cellText(line.high[at], "score")}`);
    lines.push(`${line.n[at]} calls`);
  }
  return lines.join("<br>");
}

function diagonal(end) {
  return {
    type: "line", x0: 0, y0: 0, x1: end, y1: end,
    line: { color: DATA.colours.other, width: 1, dash: "dot" },
  };
}

function histogramFigure(chart) {
  const middles = chart.counts.map((_, at) => (chart.edges[at] + chart.edges[at + 1]) / 2);
  const trace = {
    type: "bar", x: middles, y: chart.counts, marker: { color: DATA.colours.other },
    width: 0.92 * (chart.edges[1] - chart.edges[0]), hoverinfo: "text",
    hovertext: chart.counts.map((n, at) => `${n} shuffles from ${cellText(chart.edges[at], "score")}`
      + ` to ${cellText(chart.edges[at + 1], "score")}`),
  };
  const layout = layoutOf({
    height: 240, xaxis: axisOf(chart.x, { range: histogramRange(chart) }), yaxis: axisOf(chart.y),
    shapes: [lineShape(chart.line, 0, 1, "paper")],
    annotations: [{
      text: `${plain(chart.line_name)}: ${cellText(chart.line, "score")}`, x: chart.line, y: 1,
      yref: "paper", yanchor: "bottom", xanchor: "right", showarrow: false,
    }],
    margin: { l: 56, r: 16, t: 24, b: 44 },
  });
  return { traces: [trace], layout };
}

// With some room beside the line of the observed score.
function histogramRange(chart) {
  const low = Math.min(chart.edges[0], chart.line);
  const high = Math.max(chart.edges[chart.edges.length - 1], chart.line);
  return [low - 0.03 * (high - low), high + 0.03 * (high - low)];
}

function dotFigure(chart) {
  const trace = {
    type: "scatter", mode: "markers", x: chart.xs, y: chart.ys, hoverinfo: "text",
    marker: { color: bright(DATA.colours.own), size: 6, opacity: 0.7 },
    hovertext: chart.names.map((name, at) => `${plain(name)}<br>label ${cellText(chart.xs[at], "score")}`
      + `<br>batch ${cellText(chart.ys[at], "score")}`),
  };
  const high = 1.05 * Math.max(0.01, ...chart.xs, ...chart.ys);
  const range = { range: [-0.02 * high, high] };
  const layout = layoutOf({
    height: 340, xaxis: axisOf(chart.x, range), yaxis: axisOf(chart.y, range), shapes: [diagonal(high)],
  });
  return { traces: [trace], layout };
}

const FIGURES = { bars: barFigure, lines: lineFigure, histogram: histogramFigure, dots: dotFigure };

// Live panels in place of the drawn ones, redrawn when the colours of the page change.
function startFigure(block, charts) {
  const still = block.querySelector(".panels");
  const live = make("div", { class: "panels live" });
  const drawings = [...still.querySelectorAll(".panel")];
  charts.forEach((chart, place) => {
    const panel = make("div", { class: "panel grows" });
    const told = drawings[place]?.querySelector("svg")?.getAttribute("aria-label") ?? chart.title;
    const area = make("div", { role: "img", "aria-label": told });
    panel.append(make("p", {}, chart.title), area);
    live.append(panel);
    onTheme(() => drawChart(area, chart));
  });
  still.before(live);
  block.classList.add("drawn");
  live.querySelectorAll("[role=img]").forEach((area, place) => drawChart(area, charts[place]));
}

function drawChart(area, chart) {
  const { traces, layout } = FIGURES[chart.kind](chart);
  Plotly.react(area, traces, layout, CONFIG);
}
