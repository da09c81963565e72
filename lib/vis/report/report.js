"use strict";
// More rows than this are shown on demand: laying out thousands takes a second at every sort.
const MOST_ROWS = 300;
const collator = new Intl.Collator("en", { numeric: true });
// Numbers are written with a true minus sign and narrow spaces; what isn't a number (a dash) is null.
const numberIn = (cell) => {
  const value = parseFloat(cell.textContent.replace("\u2212", "-").replace(/[\s\u202f]/g, ""));
  return Number.isNaN(value) ? null : value;
};
const rowsOf = (table) => [...table.tBodies[0].rows];

function sortBy(table, column, descending) {
  const named = column === 0;
  const keyed = rowsOf(table).map((row) => {
    const cell = row.cells[column];
    return { row, key: named ? cell.textContent : numberIn(cell) };
  });
  const order = (a, b) => (named ? collator.compare(a, b) : a - b);
  // Rows without a value come last, whichever way the rest is sorted.
  keyed.sort((a, b) =>
    a.key === null || b.key === null
      ? (a.key === null) - (b.key === null)
      : descending ? order(b.key, a.key) : order(a.key, b.key));
  table.tBodies[0].append(...keyed.map((item) => item.row));
}

function makeSortable(table, afterwards) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    head.querySelector("button").addEventListener("click", () => {
      const descending = head.getAttribute("aria-sort") === "ascending";
      for (const other of heads) other.setAttribute("aria-sort", "none");
      head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      sortBy(table, column, descending);
      afterwards();
    });
  });
}

for (const part of document.querySelectorAll(".filtered")) {
  const [name, most] = part.querySelectorAll("input");
  const table = part.querySelector("table");
  const output = part.querySelector("output");
  const all = part.querySelector(".all");
  const known = new Map(rowsOf(table).map((row) => [row, {
    name: row.cells[0].textContent.toLowerCase(), value: numberIn(row.cells[1]),
  }]));
  let limit = MOST_ROWS;
  const apply = () => {
    const wanted = name.value.trim().toLowerCase();
    const highest = most.value === "" ? null : Number(most.value);
    let fitting = 0;
    for (const row of rowsOf(table)) {
      const item = known.get(row);
      const fits = item.name.includes(wanted) && (highest === null || (item.value !== null && item.value <= highest));
      fitting += fits;
      row.hidden = !fits || fitting > limit;
    }
    const shown = fitting > limit ? `, the first ${limit} shown` : "";
    output.textContent = `${fitting} of ${known.size} frames${shown}`;
    all.hidden = fitting <= limit;
  };
  name.addEventListener("input", apply);
  most.addEventListener("input", apply);
  all.addEventListener("click", () => {
    limit = Infinity;
    apply();
  });
  makeSortable(table, apply);
  apply(); // browsers keep what was typed before a reload
}
