"use strict";
(() => {
  const charts = JSON.parse(document.getElementById("charts").textContent);
  const drawn = new Set();
  const config = {
    responsive: true,
    displaylogo: false,
    displayModeBar: window.matchMedia("(hover: hover)").matches ? "hover" : false,
    modeBarButtons: [["toImage", "zoom2d", "pan2d", "resetScale2d"]],
  };
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  function themed(layout) {
    const font = { family: colour("--font"), color: colour("--text"), size: 12 };
    const axis = { gridcolor: colour("--line"), linecolor: colour("--line") };
    const merged = { ...layout, font, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", autosize: true };
    merged.xaxis = { ...layout.xaxis, ...axis };
    merged.yaxis = { ...layout.yaxis, ...axis };
    merged.modebar = { bgcolor: "rgba(0,0,0,0)", color: colour("--quiet"), activecolor: colour("--link") };
    merged.hoverlabel = { bgcolor: colour("--card"), font: { color: colour("--text") } };
    return merged;
  }

  function draw(place) {
    const chart = charts[place.id];
    const known = drawn.has(place);
    drawn.add(place);
    Plotly[known ? "react" : "newPlot"](place, chart.data, themed(chart.layout), config);
  }

  const places = [...document.querySelectorAll(".chart")];
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (entry.isIntersecting && !drawn.has(entry.target)) draw(entry.target);
    }
  }, { rootMargin: "600px" });
  places.forEach((place) => watcher.observe(place));

  async function copy(button) {
    const code = document.getElementById(button.dataset.copies);
    let done = false;
    try {
      await navigator.clipboard.writeText(code.textContent);
      done = true;
    } catch { // not allowed for a file, or not there at all: select it and copy the old way
      getSelection().selectAllChildren(code);
      done = document.execCommand("copy");
    }
    button.textContent = done ? "Copied" : "Selected: copy it with the keyboard";
    setTimeout(() => { button.textContent = "Copy"; }, 2500);
  }
  document.querySelectorAll("button[data-copies]").forEach((button) => {
    button.addEventListener("click", () => copy(button));
  });

  dark.addEventListener("change", () => drawn.forEach(draw));
  document.addEventListener("toggle", (event) => {
    if (event.target.open) event.target.querySelectorAll(".js-plotly-plot").forEach((place) => Plotly.Plots.resize(place));
  }, true);
  window.addEventListener("beforeprint", () => {
    document.querySelectorAll("details").forEach((part) => { part.open = true; });
    places.forEach(draw);
  });
})();
