"use strict";
// The page of the carrier profile: shows what the box sends, and says nothing.

const events = new EventSource("/events");
events.addEventListener("page", (event) => {
  document.getElementById("away").hidden = true;
  for (const [name, part] of Object.entries(JSON.parse(event.data))) document.getElementById(name).innerHTML = part;
});
events.addEventListener("error", () => {
  document.getElementById("away").hidden = false;
});
