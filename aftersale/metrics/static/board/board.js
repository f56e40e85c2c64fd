// Draws the board and keeps it moving; a click on a bar opens the rows behind it.
(() => {
  const board = document.getElementById("board");
  const charts = {};
  let figures = null;

  function colours() {
    const read = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    const dark = document.documentElement.dataset.bsTheme === "dark";
    return {
      text: dark ? "#cbd5e1" : "#475569",
      line: dark ? "#2f3d52" : "#e5e9ef",
      main: read("--tblr-primary"),
      people: dark ? "#fbbf24" : "#d97706",
      late: dark ? "#f87171" : "#b91c1c",
      grey: dark ? "#64748b" : "#94a3b8",
    };
  }

  function chart(name) {
    const place = board.querySelector(`[data-chart=${name}]`);
    if (!charts[name]) {
      charts[name] = echarts.init(place, null, { renderer: "canvas" });
      charts[name].on("click", (part) => (location.href = part.data.address));
    }
    return charts[name];
  }

  function axes(titles, c, across) {
    const names = { type: "category", data: titles, axisTick: { show: false }, axisLine: { lineStyle: { color: c.line } }, axisLabel: { color: c.text, hideOverlap: true } };
    const counts = { type: "value", minInterval: 1, splitLine: { lineStyle: { color: c.line } }, axisLabel: { color: c.text } };
    return across ? { yAxis: { ...names, inverse: true }, xAxis: counts } : { xAxis: names, yAxis: counts };
  }

  const frame = (c) => ({
    animationDuration: 300,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
    grid: { left: 8, right: 16, top: 28, bottom: 4, containLabel: true },
    tooltip: { trigger: "axis", renderMode: "richText", axisPointer: { type: "shadow" } },
    legend: { show: false, top: 0, right: 0, textStyle: { color: c.text }, itemWidth: 12, itemHeight: 8 },
  });

  function bars(name, titles, series, across = false) {
    const c = colours();
    const base = frame(c);
    base.legend.show = series.length > 1;
    if (series.length === 1) base.grid.top = 8;
    const drawn = series.map((one) => ({
      type: "bar",
      stack: "all",
      barMaxWidth: 26,
      label: series.length > 1 ? {} : { show: true, position: across ? "right" : "top", color: c.text },
      ...one,
    }));
    chart(name).setOption({ ...base, ...axes(titles, c, across), series: drawn });
  }

  function draw() {
    const c = colours();
    const { automatic, people, hour } = board.dataset;
    const hours = figures.inflow;
    bars("inflow", hours.map((one) => hour.replace("{n}", one.hour)), [
      { name: automatic, color: c.main, data: hours.map((one) => ({ value: one.automatic, address: one.address })) },
      { name: people, color: c.people, data: hours.map((one) => ({ value: one.people, address: one.address })) },
    ]);
    const shade = { late: c.late, h2: c.late, h12: c.people };
    bars("left", figures.left.map((one) => one.title), [
      { data: figures.left.map((one) => ({ value: one.cases, address: one.address, itemStyle: { color: shade[one.code] || c.grey } })) },
    ], true);
    bars("backlog", figures.backlog.map((one) => one.title), [
      { color: c.main, data: figures.backlog.map((one) => ({ value: one.cases, address: one.address })) },
    ], true);
    board.querySelector(".board-empty").hidden = figures.backlog.length > 0;
  }

  function tell() {
    for (const tile of figures.tiles) {
      const place = document.querySelector(`[data-tile=${tile.key}]`);
      place.querySelector("b").textContent = tile.text;
      place.href = tile.address;
      place.className = `card tile ${tile.tone ? `tile-${tile.tone}` : ""}`;
    }
    const rows = document.querySelectorAll("#money .board-money");
    figures.money.forEach((one, at) => {
      rows[at].querySelector("b").textContent = one.text;
      rows[at].querySelector(".sub").textContent = one.cases === 1 ? board.dataset.case : `${one.cases} ${board.dataset.cases}`;
    });
  }

  async function refresh() {
    const at = document.getElementById("board-at");
    try {
      const answer = await fetch(board.dataset.source, { headers: { Accept: "application/json" } });
      if (!answer.ok || answer.redirected) throw new Error(answer.status);
      figures = await answer.json();
      at.textContent = at.dataset.fresh.replace(/^\S+ \S+(?=[，,])/, stamp(figures.at));
      draw();
      tell();
    } catch {
      at.textContent = at.dataset.late;
    }
  }

  function stamp(iso) {
    const part = new Intl.DateTimeFormat("en-GB", { timeZone: "Asia/Shanghai", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }).formatToParts(new Date(iso));
    const of = (type) => part.find((one) => one.type === type).value;
    return `${of("month")}-${of("day")} ${of("hour")}:${of("minute")}:${of("second")}`;
  }

  const at = document.getElementById("board-at");
  at.dataset.fresh = at.textContent;
  document.addEventListener("theme", () => figures && draw());
  addEventListener("resize", () => Object.values(charts).forEach((one) => one.resize()));
  setInterval(() => document.hidden || refresh(), 5000);
  refresh();
})();
