"use strict";
// The tray's one script: buttons ask the simulated desk, lamps are shown as its observer saw them.
const lies = document.getElementById("lies");
const place = lies.dataset.place;
const Place = place[0].toUpperCase() + place.slice(1);

function show(state) {
  for (const [name, on] of Object.entries(state.lamps)) document.getElementById(name).classList.toggle("on", on);
  for (const button of document.querySelectorAll(".specimen")) {
    const here = Number(button.dataset.number) === state.lies;
    button.classList.toggle("lies", here);
    button.setAttribute("aria-pressed", String(here));
  }
  const laid = document.querySelector(".specimen.lies strong");
  lies.textContent = laid ? `${Place}: ${laid.textContent}` : `Nothing lies ${place}.`;
}

async function ask(url, options) {
  try {
    const answer = await fetch(url, options);
    if (!answer.ok) throw new Error(await answer.text());
    show(await answer.json());
  } catch (error) {
    lies.textContent = `The desk does not answer: ${error.message}`;
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-do]");
  if (!button) return;
  const number = button.dataset.number ? `?number=${button.dataset.number}` : "";
  ask(`/do/${button.dataset.do}${number}`, { method: "POST", headers: { "X-Tray": "1" } });
});
setInterval(() => ask("/state"), 300);
