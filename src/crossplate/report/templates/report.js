// What happens when the page opens.

const DATA = readData();

function startTables(onFeature) {
  for (const box of document.querySelectorAll("[data-table]")) {
    const data = DATA.tables[box.dataset.table];
    const picks = box.dataset.table === "biomarkers" ? onFeature : null;
    if (data) startTable(box, data, picks);
  }
}

function startFigures() {
  for (const block of document.querySelectorAll("[data-figure]")) {
    const charts = DATA.figures[block.dataset.figure];
    if (charts) startFigure(block, charts);
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
  if (!DATA.figures) return;
  startFigures();
  const embedding = document.getElementById("embedding");
  if (embedding && DATA.embedding.length) startEmbedding(embedding, DATA.embedding);
}

start();
