"use strict";
const NONE = "\u2013";
const MINUTE = 60; // seconds that the curve is wide
const RETRY_MS = 1000;
const at = (id) => document.getElementById(id);
let newest = 0; // number of the result that is shown
let paused = false;

// The terminal shows an address that ends in #token=...; browsers don't send that part, so it comes as a header.
let token = new URLSearchParams(location.hash.slice(1)).get("token") || sessionStorage.getItem("token") || "";
if (token) sessionStorage.setItem("token", token);
history.replaceState(null, "", location.pathname);

async function ask(place, content) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const options = content ? { method: "POST", headers, body: JSON.stringify(content) } : { headers };
  const response = await fetch(place, options);
  const answer = await response.json();
  at("ask").hidden = response.status !== 401;
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

function showState(state) {
  if (state.frames < newest) newest = 0; // the server was started anew
  paused = state.paused;
  at("source").textContent = state.source;
  at("state").textContent = state.state;
  at("state").classList.toggle("failed", state.failed);
  at("pause").textContent = paused ? "Go on" : "Pause";
  at("pause").setAttribute("aria-pressed", paused);
  at("came").textContent = state.came.toFixed(1);
  at("shown").textContent = state.shown.toFixed(1);
  at("frames").textContent = state.frames;
  at("dropped").textContent = state.dropped;
}

function showRegions(regions) {
  const body = at("regions");
  while (body.rows.length < regions.length) {
    const row = body.insertRow();
    const head = row.appendChild(document.createElement("th"));
    head.scope = "row";
    for (let cell = 0; cell < 4; cell += 1) row.insertCell();
  }
  regions.forEach((region, index) => {
    const row = body.rows[index];
    const numbers = [region.mean, region.min, region.max].map((value) => (value === null ? NONE : value.toFixed(1)));
    [region.name, ...numbers, region.pixels].forEach((text, cell) => { row.cells[cell].textContent = text; });
    row.classList.toggle("doubtful", !region.valid);
  });
}

function showBreathing(breathing) {
  const known = breathing.celsius.filter((value) => value !== null);
  at("note").textContent = breathing.note ? `${breathing.note[0].toUpperCase()}${breathing.note.slice(1)}.` : "";
  const low = Math.min(...known);
  const high = Math.max(...known);
  at("top").textContent = known.length ? `${high.toFixed(2)} °C` : "";
  at("bottom").textContent = known.length ? `${low.toFixed(2)} °C` : "";
  const scale = 150 / Math.max(high - low, 0.05);
  const last = breathing.celsius.length - 1;
  let path = "";
  let pen = "M";
  breathing.celsius.forEach((value, index) => {
    if (value === null) {
      pen = "M";
      return;
    }
    const x = 600 * (1 - ((last - index) * breathing.step) / MINUTE);
    path += `${pen}${x.toFixed(1)} ${(175 - (value - low) * scale).toFixed(1)}`;
    pen = "L";
  });
  at("line").setAttribute("d", path);
}

function showResult(result) {
  newest = result.number;
  at("picture").src = result.picture;
  at("picture").alt = "The newest frame with its facial regions; the table has their temperatures";
  at("picture").hidden = false;
  at("name").textContent = result.name;
  at("save").disabled = false;
  showRegions(result.regions);
  showBreathing(result.breathing);
}

async function follow() {
  for (;;) {
    try {
      const answer = await ask(`state?after=${newest}`);
      showState(answer.state);
      if (answer.result) showResult(answer.result);
    } catch (error) {
      at("state").textContent = error instanceof TypeError ? "the server doesn't answer" : error.message;
      await new Promise((resolve) => { setTimeout(resolve, RETRY_MS); });
    }
  }
}

async function press(place, content, say) {
  try {
    const answer = await ask(place, content);
    at("message").textContent = say(answer);
  } catch (error) {
    at("message").textContent = error.message;
  }
}

at("pause").addEventListener("click", () => {
  press("pause", { paused: !paused }, (answer) => { showState(answer.state); return ""; });
});
at("save").addEventListener("click", () => {
  press("save", { number: newest }, (answer) => `saved with its mask: ${answer.saved}`);
});
at("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  token = at("token").value;
  sessionStorage.setItem("token", token);
  at("ask").hidden = true;
});
follow();
