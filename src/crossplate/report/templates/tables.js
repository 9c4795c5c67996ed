// Tables that can be sorted, filtered and searched; the static rows are replaced by all rows.

const ROWS_AT_ONCE = 100;
const SMALL = 0.001;

// As Python writes cells: see cell_text.
function cellText(value, kind) {
  if (value === null) return "–";
  if (typeof value === "number") {
    if (kind === "count") return value.toLocaleString("en-US");
    if (kind === "score") return value.toFixed(3).replace(/^-(0\.0+)$/, "$1");
    if (kind === "small") return twoDigits(value);
  }
  return String(value);
}

function twoDigits(value) {
  if (value === 0) return "0";
  if (Math.abs(value) < SMALL) return value.toExponential(1).replace("e+", "e");
  return value.toFixed(Math.max(0, 1 - Math.floor(Math.log10(Math.abs(value)))));
}

function compareCells(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a).localeCompare(String(b), "en", { numeric: true });
}

// Places of the rows in the order of a column; empty cells last whichever way.
function sortedPlaces(rows, column, direction) {
  const places = rows.map((_, place) => place);
  if (column === null) return places;
  return places.sort((one, other) => {
    const [a, b] = [rows[one][column], rows[other][column]];
    if (a === null || b === null) return (a === null) - (b === null) || one - other;
    return direction * compareCells(a, b) || one - other;
  });
}

function matches(row, words, chosen) {
  for (const [column, value] of chosen) {
    if (String(row[column]) !== value) return false;
  }
  if (!words.length) return true;
  const text = row.filter((cell) => typeof cell === "string").join("\n").toLowerCase();
  return words.every((word) => text.includes(word));
}

// One table: its data, its parts in the page, and what is shown at the moment.
function startTable(box, data, onRow = null) {
  const tools = box.parentElement.querySelector(".tools");
  const table = {
    data, box, tools, onRow,
    body: box.querySelector("tbody"),
    heads: [...box.querySelectorAll("thead th")],
    column: null, direction: 1, words: [], chosen: new Map(),
    limit: ROWS_AT_ONCE, picked: null,
    rest: box.parentElement.querySelector(".rest"),
  };
  table.heads.forEach((head, column) => addSorter(table, head, column));
  addTools(table);
  const onPaper = Number(box.dataset.rows);
  window.addEventListener("beforeprint", () => showRows(table, onPaper));
  window.addEventListener("afterprint", () => showRows(table, ROWS_AT_ONCE));
  showRows(table, ROWS_AT_ONCE);
  return table;
}

function addSorter(table, head, column) {
  const control = button(head.textContent, () => {
    table.direction = table.column === column ? -table.direction : firstDirection(table, column);
    table.column = column;
    table.heads.forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", table.direction > 0 ? "ascending" : "descending");
    showRows(table, ROWS_AT_ONCE);
  });
  control.title = "Sort by this column";
  // Browsers leave buttons out of the headings that they repeat on each sheet of paper.
  head.replaceChildren(control, make("span", { class: "paper" }, head.textContent));
}

// Text begins with A and p-values with the smallest; of scores and counts the largest matter.
function firstDirection(table, column) {
  return ["score", "count"].includes(table.data.columns[column].kind) ? -1 : 1;
}

function addTools(table) {
  const search = make("input", { type: "search", placeholder: "Search", autocomplete: "off" });
  search.setAttribute("aria-label", `Search: ${table.box.getAttribute("aria-label")}`);
  search.addEventListener("input", () => {
    table.words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    showRows(table, ROWS_AT_ONCE);
  });
  table.tools.append(search);
  for (const column of table.data.filters) addFilter(table, column);
  table.count = make("span", { class: "soft", role: "status" });
  table.tools.append(table.count);
  table.tools.hidden = false;
  table.more = button("Show more", () => showRows(table, table.limit + 5 * ROWS_AT_ONCE));
  table.more.className = "more";
  table.box.after(table.more);
}

function addFilter(table, column) {
  const name = table.data.columns[column].name;
  const values = [...new Set(table.data.rows.map((row) => String(row[column])))];
  if (values.length < 2 || values.length > 60) return;
  const select = make("select", { "aria-label": name });
  select.append(make("option", { value: "" }, `${name}: all`));
  values.sort(compareCells).forEach((value, place) => {
    select.append(make("option", { value: String(place + 1) }, `${name}: ${value}`));
  });
  select.addEventListener("change", () => {
    if (select.value) table.chosen.set(column, values[Number(select.value) - 1]);
    else table.chosen.delete(column);
    showRows(table, ROWS_AT_ONCE);
  });
  table.tools.append(select);
}

function showRows(table, limit) {
  const { rows } = table.data;
  const places = sortedPlaces(rows, table.column, table.direction)
    .filter((place) => matches(rows[place], table.words, table.chosen));
  table.limit = limit;
  table.body.replaceChildren(...places.slice(0, limit).map((place) => rowOf(table, rows[place])));
  const [shown, all] = [places.length, rows.length].map((n) => n.toLocaleString("en-US"));
  const noun = rows.length === 1 ? "row" : "rows";
  table.count.textContent = shown === all ? `${all} ${noun}` : `${shown} of ${all} ${noun}`;
  table.more.hidden = places.length <= limit;
  const rest = places.length > limit ? `The first ${limit} of ${shown} rows.` : "";
  if (table.rest) table.rest.textContent = rest;
}

function rowOf(table, row) {
  const line = make("tr");
  row.forEach((value, column) => {
    const { kind } = table.data.columns[column];
    const cell = make(column ? "td" : "th", kind === "text" ? {} : { class: "number" });
    if (!column) cell.scope = "row";
    if (!column && table.onRow) cell.append(button(cellText(value, kind), () => {}));
    else cell.textContent = cellText(value, kind);
    line.append(cell);
  });
  if (table.onRow) {
    line.classList.add("pickable");
    line.classList.toggle("picked", row[0] === table.picked);
    line.addEventListener("click", () => pickRow(table, row[0]));
  }
  return line;
}

function pickRow(table, name) {
  table.picked = name;
  for (const line of table.body.rows) {
    line.classList.toggle("picked", line.cells[0].textContent === cellText(name, "text"));
  }
  table.onRow(name);
}
