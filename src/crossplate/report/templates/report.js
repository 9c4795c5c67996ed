// What happens when the page opens.

const DATA = readData();

function startTables(onFeature) {
  for (const box of document.querySelectorAll("[data-table]")) {
    const data = DATA.tables[box.dataset.table];
    const picks = box.dataset.table === "biomarkers" ? onFeature : null;
    if (data) startTable(box, data, picks);
  }
}

// Parts of the page that take time, in the order in which they are likely to be looked at.
function slowParts() {
  const embedding = document.getElementById("embedding");
  const parts = [...document.querySelectorAll("[data-figure]")]
    .filter((block) => DATA.figures[block.dataset.figure])
    .map((block) => () => startFigure(block, DATA.figures[block.dataset.figure]));
  if (embedding && DATA.embedding.length) parts.push(() => startEmbedding(embedding, DATA.embedding));
  return parts;
}

// One at a time, so that the page can be read and scrolled in the meantime.
function runInTurn(parts) {
  if (parts.length) {
    parts[0]();
    setTimeout(() => runInTurn(parts.slice(1)));
  } else {
    document.documentElement.dataset.ready = "yes";
  }
}

function start() {
  document.documentElement.classList.add("live");
  startTheme();
  startContents();
  let onFeature = null;
  const boxes = document.getElementById("boxes");
  if (boxes && DATA.boxes) onFeature = startBoxes(boxes, DATA.boxes, DATA.first[0]);
  startTables(onFeature);
  setTimeout(() => runInTurn(DATA.figures ? slowParts() : []));
}

start();
