(function () {
  "use strict";
  var all = function (selector, within) { return Array.prototype.slice.call((within || document).querySelectorAll(selector)); };
  var requirements = all(".requirement"), form = document.getElementById("filters");

  function openTarget() {
    var id = location.hash.slice(1);
    try { id = decodeURIComponent(id); } catch (e) { return; }
    var target = id && id[0] !== "?" && document.getElementById(id);
    if (!target) return;
    for (var at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") { at.open = true; at.hidden = false; }
    // What lies above is laid out as it comes into view, and moves the target.
    var left = 40, still = 0, at = null;
    (function settle() {
      target.scrollIntoView({ block: "start" });
      var y = Math.round(target.getBoundingClientRect().top);
      still = y === at ? still + 1 : 0;
      at = y;
      if (left-- && still < 3) requestAnimationFrame(settle);
    })();
  }

  function words(values) { return new URLSearchParams(values); }

  if (form) {
    var showing = document.getElementById("showing"), nothing = document.getElementById("nothing");
    var reset = form.querySelector("[type=reset]"), unfold = document.getElementById("unfold"), texts = new WeakMap();
    form.hidden = false;

    var textOf = function (r) {
      if (!texts.has(r)) texts.set(r, r.textContent.toLowerCase());
      return texts.get(r);
    };
    var chosen = function () {
      var out = new URLSearchParams();
      var verdicts = all("[name=verdict]:checked", form).map(function (box) { return box.value; });
      if (verdicts.length) out.set("verdict", verdicts.join(","));
      ["flow", "endpoint", "level", "document", "q"].forEach(function (name) {
        var value = form.elements[name].value.trim();
        if (value) out.set(name, value);
      });
      return out;
    };
    var has = function (list, value) { return (" " + list + " ").indexOf(" " + value + " ") >= 0; };
    var apply = function () {
      var f = chosen(), q = (f.get("q") || "").toLowerCase().split(/\s+/).filter(Boolean);
      var verdicts = f.get("verdict") ? f.get("verdict").split(",") : null, shown = 0;
      requirements.forEach(function (r) {
        var d = r.dataset;
        var fits = (!verdicts || verdicts.indexOf(d.verdict) >= 0) && (!f.get("level") || d.level === f.get("level")) &&
          (!f.get("document") || ("|" + d.documents + "|").indexOf("|" + f.get("document") + "|") >= 0) &&
          (!f.get("flow") || has(d.flows, f.get("flow"))) && (!f.get("endpoint") || has(d.endpoints, f.get("endpoint"))) &&
          q.every(function (word) { return textOf(r).indexOf(word) >= 0; });
        r.hidden = !fits;
        if (fits) shown++;
      });
      all(".part").forEach(function (part) { part.hidden = !part.querySelector(".requirement:not([hidden])"); });
      showing.textContent = shown === requirements.length ? shown + (shown === 1 ? " requirement" : " requirements") : shown + " of " + requirements.length;
      nothing.hidden = shown > 0;
      reset.hidden = !f.toString();
      return f;
    };
    var remember = function () {
      var f = apply().toString();
      try { history.replaceState(null, "", f ? "#?" + f : location.pathname + location.search); } catch (e) { /* a page without an address */ }
    };
    var follow = function () {
      if (location.hash.slice(0, 2) !== "#?") { openTarget(); return; }
      var f = words(location.hash.slice(2)), verdicts = (f.get("verdict") || "").split(",");
      all("[name=verdict]", form).forEach(function (box) { box.checked = verdicts.indexOf(box.value) >= 0; });
      ["flow", "endpoint", "level", "document", "q"].forEach(function (name) { form.elements[name].value = f.get(name) || ""; });
      apply();
      document.getElementById("requirements").scrollIntoView({ block: "start" });
    };
    form.addEventListener("input", remember);
    form.addEventListener("submit", function (e) { e.preventDefault(); });
    form.addEventListener("reset", function () { setTimeout(remember); });
    unfold.addEventListener("click", function () {
      var open = unfold.getAttribute("aria-pressed") !== "true";
      requirements.forEach(function (r) { r.open = open; });
      unfold.setAttribute("aria-pressed", open);
      unfold.textContent = open ? "Close all" : "Open all";
    });
    all("[data-filter]").forEach(function (place) {
      var link = document.createElement("a");
      link.href = "#?" + place.dataset.filter;
      while (place.firstChild) link.appendChild(place.firstChild);
      place.appendChild(link);
    });
    window.addEventListener("hashchange", follow);
    apply();
    if (location.hash) follow();
  } else {
    window.addEventListener("hashchange", openTarget);
    openTarget();
  }

  // One listener for all, since there may be thousands of buttons.
  document.documentElement.classList.add("js");
  document.addEventListener("click", function (e) {
    var button = e.target.closest(".copy");
    if (!button) return;
    var text = button.parentElement.querySelector("pre");
    var done = function () { button.textContent = "Copied"; setTimeout(function () { button.textContent = "Copy"; }, 1500); };
    // A page that was opened as a file may lack the newer way.
    getSelection().selectAllChildren(text);
    if (document.execCommand("copy")) done();
    else if (navigator.clipboard) navigator.clipboard.writeText(text.textContent).then(done, function () { button.textContent = "Press Ctrl-C"; });
  });

  all(".chart").forEach(function (figure) {
    var svg = figure.querySelector(".plot svg"), tip = figure.querySelector(".tip"), cursor = figure.querySelector(".cursor");
    if (!svg || !tip) return;
    var head = all("thead th", figure).map(function (th) { return th.textContent; });
    var rows = all("tbody tr", figure), xs = rows.map(function (row) { return +row.dataset.x; });
    var hide = function () { tip.hidden = true; cursor.classList.remove("on"); };
    svg.addEventListener("pointerleave", hide);
    svg.addEventListener("pointermove", function (e) {
      var box = svg.getBoundingClientRect(), x = (e.clientX - box.left) / box.width * 560, best = 0;
      for (var i = 1; i < xs.length; i++) if (Math.abs(xs[i] - x) < Math.abs(xs[best] - x)) best = i;
      if (!rows.length || x < 40) { hide(); return; }
      cursor.setAttribute("d", "M" + xs[best] + " 12V244");
      cursor.classList.add("on");
      tip.textContent = "";
      all("th,td", rows[best]).forEach(function (cell, i) {
        var line = document.createElement("div");
        line.textContent = head[i] + " " + cell.textContent;
        tip.appendChild(line);
      });
      tip.hidden = false;
      var left = xs[best] / 560 * box.width;
      tip.style.left = (left > box.width / 2 ? left - tip.offsetWidth - 12 : left + 12) + "px";
    });
  });
})();
