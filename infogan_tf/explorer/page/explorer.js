// The explorer's page: its state, what it asks of TF Serving's REST API, and what it shows.

// Of metadata.json.
const FORMAT = 2;
const STRIP = [-2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2];
const MOST_THUMBNAILS = 20;
const REMADE = 8;
const LARGEST_UPLOAD = 512;
// Of the frames of a GIF in base64: what the local server takes in one request (Limits.body_bytes), less what is around.
const MOST_BYTES = 8 * 2 ** 20 - 2 ** 14;
// Where a part is cut out by its place in pixels, a picture is not made smaller before.
const LARGEST_TO_CUT = 4096;
const PAD = 280;
// A ground is light above this level: well above the grey that a model draws before it has learnt anything.
const LIGHT = 160;
const $ = (id) => document.getElementById(id);

// === Asking ===

async function ask(path, options) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Error("The local server does not answer. Is the command with --mode=explore still running?");
  }
  if (!answer.ok) {
    const said = await answer.json().catch(() => ({}));
    throw new Error(`The model did not do it: ${said.error ?? `status ${answer.status}`}`);
  }
  return answer;
}

const post = (path, body) => ask(path, { method: "POST", body: JSON.stringify(body) });

// TF Serving, and Python, write NaN and infinities as JSON does not.
const parse = (text) => JSON.parse(text.replace(/([:[,]\s*)(?:NaN|-?Infinity)/g, "$1null"));

async function predict(signature_name, inputs) {
  const answer = await post(`/v1/models/${site.model}:predict`, { signature_name, inputs });
  return parse(await answer.text()).outputs;
}

// PNGs, as data URIs, of rows { noise: [n], values: { c1: 3, ... } }.
async function generate(rows) {
  const inputs = { noise: rows.map((row) => row.noise) };
  for (const { name } of meta.codes) inputs[name] = rows.map((row) => row.values[name]);
  return (await predict("generate_png", inputs)).map(({ b64 }) => `data:image/png;base64,${b64}`);
}

// Does `work` again and again while it is asked for: never twice at once, and what is asked meanwhile is done once.
class Latest {
  constructor(work) {
    Object.assign(this, { work, wanted: false, busy: false });
  }

  async request() {
    this.wanted = true;
    if (this.busy) return;
    this.busy = true;
    while (this.wanted) {
      this.wanted = false;
      try {
        await this.work();
        showError(this, "");
        // The model answers: whoever it failed tries again, or its words would stand over a page that works.
        for (const failed of errors.keys()) failed.request?.();
      } catch (error) {
        showError(this, error.message);
      }
    }
    this.busy = false;
  }
}

// What went wrong, by who tried; one that succeeds takes back its own words alone.
const errors = new Map();
function showError(who, text) {
  errors.delete(who);
  if (text) errors.set(who, text);
  const newest = [...errors.values()].at(-1) ?? "";
  if ($("error").textContent === newest) return;
  $("error").textContent = newest;
  $("error").hidden = !newest;
}

let saying;
function say(text, wait = 0) {
  clearTimeout(saying);
  saying = setTimeout(() => ($("status").textContent = text), wait);
}

// === Drawing noise and codes: the same seed gives the same sample ===

// A generator of numbers in [0, 1) (mulberry32), its start mixed from some integers.
function stream(...keys) {
  let state = 0x9e3779b9;
  for (const key of keys) {
    state = Math.imul(state ^ key, 0x85ebca6b);
    state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
    state ^= state >>> 16;
  }
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const normal = (random) => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
const hundredths = (number) => number.toFixed(2).replace("-", "−");
const short = (number) => Math.round(number * 1e4) / 1e4;

function drawNoise(seed, index) {
  const random = stream(seed, index, 0);
  const draw = meta.noise.distribution === "normal" ? () => normal(random) : () => 2 * random() - 1;
  return Array.from({ length: meta.noise.size }, () => short(draw()));
}

function drawCode(code, seed, index) {
  const random = stream(seed, index, 1 + meta.codes.indexOf(code));
  if (code.kind === "normal") return short(normal(random));
  if (code.kind === "uniform") return short(2 * random() - 1);
  if (code.words) return drawCaption(code, random);
  return Math.floor(random() * classesOf(code));
}

// Of each kind of word one, or none.
function drawCaption(code, random) {
  const chosen = Object.values(code.words).map((words) => words[Math.floor(random() * (words.length + 1))]);
  return chosen.filter(Boolean).join(" ");
}

// 0 where the code is continuous, or text.
const classesOf = (code) => code.num_classes ?? 0;

// What a class is called by the evaluation; empty where nothing is known.
const calledBy = (code, value) => code.classes?.[value] ?? "";

// By what a model reads in an image, what the page says that it does with one.
const READ = {
  codes: "Q says which codes it sees",
  noise: "the encoder finds its z, and the decoder draws that",
  classes: "the classifier says of which class it is",
};

// === State: seed, count, lock, and a value or "random" for each code; the address's fragment holds it ===

let site, meta;
const state = { seed: 1, count: 16, lock: null, values: {} };

function readFragment() {
  const given = new URLSearchParams(location.hash.slice(1));
  const whole = (text, least, most, otherwise) => {
    const number = /^\d+$/.test(text ?? "") ? Number(text) : NaN;
    return number >= least && number <= most ? number : otherwise;
  };
  state.seed = whole(given.get("seed"), 0, 2 ** 31, 1);
  state.count = whole(given.get("count"), 1, 64, 16);
  const [index, seed] = (given.get("lock") ?? "").split(":");
  state.lock = whole(index, 0, state.count - 1, null) === null ? null : { index: Number(index), seed: whole(seed, 0, 2 ** 31, 1) };
  for (const code of meta.codes) {
    const text = given.get(code.name);
    const number = parseFloat(text);
    const classes = classesOf(code);
    if (text === "random") state.values[code.name] = "random";
    else if (code.words) state.values[code.name] = text ?? "random";
    else if (classes) state.values[code.name] = whole(text, 0, classes - 1, "random");
    else state.values[code.name] = number >= -2 && number <= 2 ? number : 0;
  }
}

let writing;
function writeFragment() {
  clearTimeout(writing);
  // Browsers allow some hundred changes of the address in half a minute.
  writing = setTimeout(() => history.replaceState(null, "", fragment()), 200);
}

function fragment() {
  const lock = state.lock ? { lock: `${state.lock.index}:${state.lock.seed}` } : {};
  const values = Object.entries(state.values).map(([name, value]) => [name, encodeURIComponent(value)]);
  const parts = { seed: state.seed, count: state.count, ...lock, ...Object.fromEntries(values) };
  return `#${Object.entries(parts).map(([name, value]) => `${name}=${value}`).join("&")}`;
}

function sample(index) {
  const seed = state.lock?.index === index ? state.lock.seed : state.seed;
  const values = {};
  for (const code of meta.codes) {
    const value = state.values[code.name];
    values[code.name] = value === "random" ? drawCode(code, seed, index) : value;
  }
  return { noise: drawNoise(seed, index), values };
}

const followed = () => state.lock?.index ?? 0;
const inWords = (values) => Object.entries(values).map(([name, value]) => `${name} ${value}`).join(", ");
// What it is, and of which codes, where the model has any.
const withCodes = (words, values) => [words, inWords(values)].filter(Boolean).join(": ");

function changed() {
  writeFragment();
  showControls();
  laterStrips();
  return grid.request();
}

// === The grid ===

const grid = new Latest(async () => {
  const rows = Array.from({ length: state.count }, (_, index) => sample(index));
  const fragmentDrawn = fragment();
  const sources = await generate(rows);
  const holder = $("grid");
  while (holder.children.length > sources.length) holder.lastChild.remove();
  while (holder.children.length < sources.length) holder.append(sampleButton(holder.children.length));
  holder.style.setProperty("--columns", Math.ceil(Math.sqrt(sources.length)));
  const images = [...holder.querySelectorAll("img")];
  images.forEach((image, index) => {
    image.src = sources[index];
    image.alt = withCodes(`Sample ${index + 1}`, rows[index].values);
    image.latents = rows[index];
  });
  await Promise.all(images.map((image) => image.decode()));
  showLock();
  // What is seen, for whoever watches.
  holder.dataset.shown = fragmentDrawn;
  say(withCodes(`${sources.length} samples drawn`, state.values), 800);
});

function sampleButton(index) {
  const button = document.createElement("button");
  button.append(document.createElement("img"));
  button.addEventListener("click", () => {
    if ($("click").value) return choose($("click").value, button.firstChild);
    state.lock = state.lock?.index === index ? null : { index, seed: state.seed };
    say(state.lock ? `Sample ${index + 1} is locked.` : "No sample is locked.");
    changed();
  });
  return button;
}

function showLock() {
  const buttons = [...$("grid").children];
  const entered = buttons.find((button) => button === document.activeElement) ?? buttons[followed()];
  buttons.forEach((button, index) => {
    button.setAttribute("aria-pressed", state.lock?.index === index);
    button.tabIndex = button === entered ? 0 : -1;
  });
  if ($("click").value) {
    $("lock-note").textContent = `Click samples to add them to ${$("click").value}.`;
    return;
  }
  const strips = meta.codes.length ? ", and the strips vary it" : "";
  $("lock-note").textContent = state.lock
    ? `Sample ${state.lock.index + 1} is locked: new noise leaves it${strips}. Click it again to free it.`
    : `Click a sample to lock it: new noise leaves it${strips}.${strips && " They vary the first one now."}`;
}

$("grid").addEventListener("keydown", (event) => {
  const buttons = [...$("grid").children];
  const at = buttons.indexOf(document.activeElement);
  const columns = Math.ceil(Math.sqrt(buttons.length));
  const moves = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns, Home: -at, End: buttons.length - 1 - at };
  const to = buttons[at + moves[event.key]];
  if (at < 0 || !to) return;
  event.preventDefault();
  buttons[at].tabIndex = -1;
  to.tabIndex = 0;
  to.focus();
});

// === The codes: a card for each ===

const cards = {};

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

function setCode(name, value) {
  state.values[name] = value;
  changed();
}

function codeCard(code) {
  const { name } = code;
  const usual = code.words ? "what is to be drawn" : code.kind === "bernoulli" ? "yes or no" : classesOf(code) ? "a class" : "a number";
  const words = code.does || usual;
  const random = element("input", { type: "checkbox" });
  const gif = element("button", { class: "small", "aria-label": `Save a GIF along ${name}` }, "GIF");
  const shown = element("output", {});
  const tools = element("div", { class: "tools" }, shown, element("label", { class: "check" }, random, "random"), gif);
  const legend = element("legend", {}, name, element("span", {}, `: ${words}`));
  const card = element("fieldset", { class: "code", id: `code-${name}` }, legend, tools);
  gif.addEventListener("click", () => saveGif(code, gif));
  let show;
  const images = [];
  if (code.words) {
    const text = element("input", { type: "text", class: "caption", "aria-label": `${name}: ${words}`, autocomplete: "off" });
    const known = Object.values(code.words).map((choices) => choices.join(", "));
    card.append(text, element("p", { class: "soft" }, `Words: ${known.join("; ")}. What is not said is left open.`));
    gif.remove();
    // Once it is whole: a word that is not would be refused.
    text.addEventListener("change", () => setCode(name, text.value));
    random.addEventListener("change", () => setCode(name, random.checked ? "random" : text.value));
    show = (value) => {
      if (value !== "random" && value !== text.value) text.value = value;
    };
  } else if (classesOf(code)) {
    const withImages = classesOf(code) <= MOST_THUMBNAILS;
    const radios = Array.from({ length: classesOf(code) }, (_, value) => {
      const called = calledBy(code, value);
      const label = `${name} ${value}${called && `, ${called}`}`;
      const radio = element("input", { type: "radio", name, value, class: "unseen", "aria-label": label });
      radio.addEventListener("change", () => setCode(name, value));
      return radio;
    });
    const labels = radios.map((radio, value) => {
      const image = element("img", { alt: "" });
      if (withImages) images.push(image);
      const called = calledBy(code, value);
      const words = called ? [element("small", {}, called)] : [];
      return element("label", { title: called }, radio, ...(withImages ? [image] : []), String(value), ...words);
    });
    card.append(element("div", { class: "classes", role: "radiogroup", "aria-label": `${name}: ${words}` }, ...labels));
    random.addEventListener("change", () => setCode(name, random.checked ? "random" : sample(followed()).values[name]));
    show = (value) => radios.forEach((radio, index) => (radio.checked = index === value));
  } else {
    const slider = element("input", { type: "range", min: -2, max: 2, step: 0.01, "aria-label": `${name}: ${words}` });
    slider.value = 0;
    const band = element("div", { class: "band" });
    const [low, high] = code.kind === "uniform" ? [0.25, 0.75] : [0, 1];
    band.style.setProperty("--low", low);
    band.style.setProperty("--high", high);
    const strip = element("div", { class: "strip", role: "img" });
    for (const _ of STRIP) images.push(strip.appendChild(element("img", { alt: "" })));
    const scale = element("div", { class: "scale", "aria-hidden": "true" });
    const trained = code.kind === "uniform" ? "trained from −1 to 1" : "trained on a standard normal";
    for (const [at, text] of [[0, "−2"], [50, trained], [100, "2"]]) {
      const mark = scale.appendChild(element("span", {}, text));
      mark.style.left = `${at}%`;
    }
    slider.addEventListener("input", () => setCode(name, Number(slider.value)));
    strip.addEventListener("click", (event) => {
      const index = images.indexOf(event.target);
      if (index >= 0) setCode(name, STRIP[index]);
    });
    random.addEventListener("change", () => setCode(name, random.checked ? "random" : Number(slider.value)));
    card.append(element("div", { class: "slide" }, band, slider), strip, scale);
    show = (value) => {
      if (value !== "random") slider.value = value;
      slider.setAttribute("aria-valuetext", value === "random" ? "random for each sample" : String(value));
      strip.setAttribute("aria-label", `Sample ${followed() + 1} with ${name} from −2 to 2`);
    };
  }
  cards[name] = {
    images,
    values: classesOf(code) || code.words ? images.map((_, index) => index) : STRIP,
    show: (value) => {
      random.checked = value === "random";
      card.classList.toggle("random", value === "random");
      shown.textContent = value === "random" ? "any" : code.words ? "" : classesOf(code) ? value : hundredths(value);
      show(value);
    },
  };
  return card;
}

function showControls() {
  for (const { name } of meta.codes) cards[name].show(state.values[name]);
  const options = [...$("count").options];
  if (!options.some((option) => option.value === String(state.count))) $("count").add(new Option(`${state.count} samples`, state.count));
  $("count").value = state.count;
}

const strips = new Latest(async () => {
  const base = sample(followed());
  const rows = [];
  const images = [];
  for (const { name } of meta.codes) {
    for (const value of cards[name].values) rows.push({ noise: base.noise, values: { ...base.values, [name]: value } });
    images.push(...cards[name].images);
  }
  if (!rows.length) return;
  const sources = await generate(rows);
  images.forEach((image, index) => (image.src = sources[index]));
});

let stripsDue;
// The grid comes first: strips wait until the sliders rest.
function laterStrips() {
  clearTimeout(stripsDue);
  stripsDue = setTimeout(() => strips.request(), 100);
}

// === To keep ===

function download(blob, name) {
  const link = element("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  say(`${name} is saved.`);
}

const toBlob = (canvas) => new Promise((resolve) => canvas.toBlob(resolve, "image/png"));

// The PNG of a canvas in base64.
const toBase64 = (canvas) => canvas.toDataURL("image/png").split(",")[1];

// The PNGs of canvases of one size in base64, made smaller where one request could not have them all.
function fitting(canvases) {
  const frames = canvases.map(toBase64);
  const bytes = frames.reduce((sum, frame) => sum + frame.length, 0);
  if (bytes <= MOST_BYTES) return frames;
  return fitting(canvases.map((canvas) => resized(canvas, 0.9 * Math.sqrt(MOST_BYTES / bytes))));
}

function resized(canvas, share) {
  const smaller = element("canvas", { width: Math.ceil(share * canvas.width), height: Math.ceil(share * canvas.height) });
  smaller.getContext("2d").drawImage(canvas, 0, 0, smaller.width, smaller.height);
  return smaller;
}

// Pictures of one size tiled into one, enlarged by a whole number.
function tiled(images, columns) {
  const [{ naturalWidth: width, naturalHeight: height }] = images;
  const scale = Math.max(1, Math.round(96 / height));
  const gap = 2;
  const canvas = element("canvas", {
    width: columns * (width * scale + gap) + gap,
    height: Math.ceil(images.length / columns) * (height * scale + gap) + gap,
  });
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.fillStyle = "#606060";
  context.fillRect(0, 0, canvas.width, canvas.height);
  images.forEach((image, index) => {
    const left = gap + (index % columns) * (width * scale + gap);
    const top = gap + Math.floor(index / columns) * (height * scale + gap);
    context.drawImage(image, left, top, width * scale, height * scale);
  });
  return canvas;
}

async function loaded(source) {
  const image = new Image();
  image.src = source;
  await image.decode();
  return image;
}

async function guarded(work) {
  try {
    await work();
    showError(guarded, "");
  } catch (error) {
    showError(guarded, error.message);
  }
}

// What could not be done is forgotten with what the user does next.
for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, () => showError(guarded, ""));

function saveGif(code, button) {
  return guarded(async () => {
    button.disabled = true;
    try {
      const values = Array.from({ length: classesOf(code) || 21 }, (_, index) => (classesOf(code) ? index : short(-2 + index / 5)));
      const samples = Array.from({ length: state.count }, (_, index) => sample(index));
      const canvases = [];
      for (const value of values) {
        say(`Drawing ${code.name} at ${value}.`);
        const rows = samples.map((row) => ({ noise: row.noise, values: { ...row.values, [code.name]: value } }));
        const images = await Promise.all((await generate(rows)).map(loaded));
        canvases.push(tiled(images, Math.ceil(Math.sqrt(images.length))));
      }
      const answer = await post("/gif", { frames: fitting(canvases), back: !classesOf(code) });
      download(await answer.blob(), `${code.name}.gif`);
    } finally {
      button.disabled = false;
    }
  });
}

$("new-noise").addEventListener("click", () => {
  state.seed = Math.floor(Math.random() * 2 ** 31);
  changed();
});

$("count").addEventListener("change", () => {
  state.count = Number($("count").value);
  if (followed() >= state.count) state.lock = null;
  changed();
});

$("save").addEventListener("click", () =>
  guarded(async () => {
    const images = [...$("grid").querySelectorAll("img")];
    download(await toBlob(tiled(images, Math.ceil(Math.sqrt(images.length)))), "samples.png");
  }),
);

$("link").addEventListener("click", async () => {
  const address = new URL(fragment(), location.href).href;
  history.replaceState(null, "", address);
  const label = $("link");
  try {
    await navigator.clipboard.writeText(address);
    label.textContent = "Copied";
    say("The link is copied.");
  } catch {
    label.textContent = "It is in the address bar";
  }
  setTimeout(() => (label.textContent = "Copy link"), 2_500);
});

// === Latent arithmetic: averages of samples, added and subtracted ===

// What was chosen for each group, as it was then, and where it is shown with its average.
const groups = [["A", 1], ["B", -1], ["C", 1]].map(([name, sign]) => ({
  name,
  sign,
  chosen: [],
  holder: element("div", {}),
  average: element("img", { alt: `The average of ${name}`, hidden: "" }),
}));
const result = element("img", { alt: "A − B + C", hidden: "" });
for (const { name, sign, holder, average } of groups) {
  $("groups").append(element("b", {}, name === "A" ? name : `${sign > 0 ? "+" : "−"} ${name}`), holder, average);
}
$("groups").append(element("b", {}, "="), element("div", {}), result);

// A sum of latents, each with a weight. Of classes, and of captions, it has that whose weights add up to most, of several the first.
function weightedSum(terms) {
  const sum = (of) => terms.reduce((total, [latents, weight]) => total + weight * of(latents), 0);
  const elected = (name) => {
    const votes = new Map();
    for (const [{ values }, weight] of terms) votes.set(values[name], (votes.get(values[name]) ?? 0) + weight);
    return [...votes].reduce((best, vote) => (vote[1] > best[1] + 1e-9 ? vote : best))[0];
  };
  const noise = Array.from({ length: meta.noise.size }, (_, index) => sum((latents) => latents.noise[index]));
  const valueOf = (code) => (classesOf(code) || code.words ? elected(code.name) : sum(({ values }) => values[code.name]));
  return { noise, values: Object.fromEntries(meta.codes.map((code) => [code.name, valueOf(code)])) };
}

const arithmetic = new Latest(async () => {
  const filled = groups.filter(({ chosen }) => chosen.length);
  const averages = filled.map(({ chosen }) => chosen.map(({ latents }) => [latents, 1 / chosen.length]));
  const signed = averages.flatMap((terms, index) => terms.map(([latents, weight]) => [latents, filled[index].sign * weight]));
  const counts = groups.map(({ chosen }) => chosen.length).join();
  const shown = filled.length ? [...filled.map(({ average }) => average), result] : [];
  const sources = shown.length ? await generate([...averages, signed].map(weightedSum)) : [];
  for (const image of [...groups.map(({ average }) => average), result]) image.hidden = !shown.includes(image);
  shown.forEach((image, index) => (image.src = sources[index]));
  // What is seen, for whoever watches.
  $("groups").dataset.shown = counts;
});

function choose(name, { src, alt, latents }) {
  const { chosen } = groups.find((group) => group.name === name);
  chosen.push({ src, alt, latents });
  say(`${alt}: added to ${name}, which has ${chosen.length}.`);
  showGroups();
}

function showGroups() {
  for (const { name, chosen, holder } of groups) {
    const buttons = chosen.map(({ src, alt }, index) => {
      const button = element("button", {}, element("img", { src, alt: `Take out of ${name}: ${alt}` }));
      button.addEventListener("click", () => {
        chosen.splice(index, 1);
        showGroups();
      });
      return button;
    });
    holder.replaceChildren(...buttons);
  }
  arithmetic.request();
}

$("click").addEventListener("change", showLock);
$("empty").addEventListener("click", () => {
  for (const { chosen } of groups) chosen.length = 0;
  showGroups();
});

// === Reading an image ===

// What is read of an image, but for noise; an older model has no classes that are read alone.
const readCodes = () => [...meta.codes.filter((code) => code.read), ...(meta.read_classes ?? [])];

const pad = $("pad");
const pen = pad.getContext("2d", { willReadFrequently: true });
// What is read: a canvas of the image's own size, or the pad once something was drawn on it.
let picture = null;
let posterior = null;

// The pad has the proportions of the model's images, and at first their ground.
function makePad() {
  const [height, width, channels] = meta.image_shape;
  pad.width = Math.max(1, Math.round(PAD * Math.min(1, width / height)));
  pad.height = Math.max(1, Math.round(PAD * Math.min(1, height / width)));
  pad.style.width = `${pad.width + 2}px`;
  pad.style.height = `${pad.height + 2}px`;
  [$("ink").value, $("paper").value] = onLight() ? ["#000000", "#ffffff"] : ["#ffffff", "#000000"];
  for (const id of ["ink", "paper"]) $(id).parentElement.hidden = channels === 1;
  clearPad();
}

function clearPad() {
  pen.fillStyle = $("paper").value;
  pen.fillRect(0, 0, pad.width, pad.height);
  picture = posterior = null;
  $("invert").checked = false;
  $("posterior").replaceChildren();
  $("remade").hidden = true;
  pad.setAttribute("aria-label", "Drawing pad; empty");
}

const reading = new Latest(async () => {
  if (!picture) return;
  const outputs = await predict("encode_png", { image_bytes: [{ b64: toBase64(picture) }] });
  if (!picture) return;
  posterior = readCodes().map((code) => readCode(code, outputs));
  $("posterior").replaceChildren(...posterior.map(({ card }) => card));
  $("posterior").dataset.shown = posterior.map(({ code, value }) => `${code.name}=${value}`).join("&");
  const values = Object.fromEntries(posterior.map(({ code, value }) => [code.name, value]));
  if (posterior.length) say(`${meta.reads === "classes" ? "The classifier" : "Q"} reads ${inWords(values)}.`, 800);
  const isNoise = meta.reads === "noise";
  const [rows, title, words] = isNoise ? decodedRows(outputs.noise_mean[0]) : otherNoise(values);
  if (!rows.length) return;
  const images = (await generate(rows)).map((src) => element("img", { src, alt: "" }));
  $("remade-title").textContent = title;
  $("remade-images").replaceChildren(...images);
  $("remade-images").setAttribute("aria-label", words);
  $("adopt").hidden = isNoise;
  $("remade").hidden = false;
});

// Images of the codes that were read, each of other noise; none where no image is drawn from what was read.
function otherNoise(values) {
  if (!meta.codes.some((code) => code.read)) return [[]];
  const rows = Array.from({ length: REMADE }, (_, index) => ({
    noise: drawNoise(state.seed, index),
    values: { ...sample(followed()).values, ...values },
  }));
  return [rows, "What the generator makes of these codes", `${REMADE} images of ${inWords(values)}, each of other noise`];
}

// Images of the noise that was read: one, or one for each label.
function decodedRows(noise) {
  const { values } = sample(followed());
  const label = meta.codes.find((code) => code.kind === "label");
  const title = "What the decoder makes of its z";
  if (!label) return [[{ noise, values }], title, "An image of the z that was read"];
  const rows = Array.from({ length: label.num_classes }, (_, value) => ({ noise, values: { ...values, [label.name]: value } }));
  return [rows, `${title}, with each label`, `${label.num_classes} images of the z that was read, one of each label`];
}

// What Q says of one code: a card with its bars, and the most probable value.
function readCode(code, outputs) {
  const { name } = code;
  const out = (what) => outputs[`${name}_${what}`]?.[0];
  const title = element("h3", {}, code.kind === "class" ? "Class" : name, element("span", {}, code.does && `: ${code.does}`));
  const card = element("div", {}, title);
  const shares = code.kind === "bernoulli" ? [1 - out("probability"), out("probability")] : out("probabilities");
  if (shares) {
    const bars = shares.map((share, index) => {
      const bar = element("span", { class: "bar" });
      bar.style.setProperty("--share", `${100 * share}%`);
      const called = calledBy(code, index);
      const words = element("span", {}, String(index), called && element("small", {}, ` ${called}`));
      return element("li", { title: called }, words, bar, element("span", {}, `${(100 * share).toFixed(1)}%`));
    });
    card.append(element("ol", { class: "bars" }, ...bars));
    return { code, card, value: shares.indexOf(Math.max(...shares)) };
  }
  const [mean, stddev] = [out("mean"), out("stddev")];
  const place = (value) => `${(100 * (Math.min(2, Math.max(-2, value)) + 2)) / 4}%`;
  const spread = element("span", { class: "spread" });
  spread.style.setProperty("--from", place(mean - stddev));
  spread.style.setProperty("--size", `calc(${place(mean + stddev)} - ${place(mean - stddev)})`);
  const middle = element("span", { class: "mean" });
  middle.style.setProperty("--at", place(mean));
  card.append(element("div", { class: "axis", "aria-hidden": "true" }, spread, middle));
  card.append(element("p", { class: "soft" }, `${hundredths(mean)} ± ${hundredths(stddev)}, on an axis from −2 to 2`));
  return { code, card, value: short(mean) };
}

function drawLine(from, to) {
  pen.strokeStyle = $("ink").value;
  pen.lineWidth = Math.max(pad.width, pad.height) / 13;
  pen.lineCap = pen.lineJoin = "round";
  pen.beginPath();
  pen.moveTo(...from);
  pen.lineTo(to[0] + 0.01, to[1]); // of a line without length, a tap's, nothing would be seen
  pen.stroke();
  picture = pad;
  pad.setAttribute("aria-label", "Drawing pad, with a drawing");
  reading.request();
}

let last = null;
const place = (event) => {
  const box = pad.getBoundingClientRect();
  return [((event.clientX - box.left) * pad.width) / box.width, ((event.clientY - box.top) * pad.height) / box.height];
};
pad.addEventListener("pointerdown", (event) => {
  if (event.button) return;
  // A stroke on a picture begins a drawing of its own.
  if (picture !== pad) clearPad();
  pad.setPointerCapture(event.pointerId);
  last = place(event);
  drawLine(last, last);
});
pad.addEventListener("pointermove", (event) => {
  if (!last) return;
  const to = place(event);
  drawLine(last, to);
  last = to;
});
for (const end of ["pointerup", "pointercancel"]) pad.addEventListener(end, () => (last = null));

function showPicture(words) {
  const scales = [pad.width / picture.width, pad.height / picture.height];
  // What the model crops at the centre is shown so.
  const scale = meta.options?.crop === "center" ? Math.max(...scales) : Math.min(...scales);
  const [width, height] = [picture.width * scale, picture.height * scale];
  pen.fillStyle = $("paper").value;
  pen.fillRect(0, 0, pad.width, pad.height);
  pen.imageSmoothingEnabled = scale < 1;
  pen.drawImage(picture, (pad.width - width) / 2, (pad.height - height) / 2, width, height);
  pad.setAttribute("aria-label", words);
  reading.request();
}

// Reads an image that the browser can show; one on a light ground is inverted where the model draws in grey on a dark one.
function readImage(image, words) {
  const [width, height] = [image.naturalWidth ?? image.width, image.naturalHeight ?? image.height];
  const most = /^\d/.test(meta.options?.crop ?? "") ? LARGEST_TO_CUT : LARGEST_UPLOAD;
  const scale = Math.min(1, most / Math.max(width, height));
  const canvas = element("canvas", { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "#fff";
  context.fillStyle = meta.options?.background ?? "#fff"; // a colour that the browser does not know changes nothing
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  picture = canvas;
  $("invert").checked = meta.image_shape[2] === 1 && border(context) > 127 && !onLight();
  if ($("invert").checked) invert(canvas);
  showPicture(words);
}

// The mean level of a picture's border, 0 to 255.
function border(context) {
  const { width, height } = context.canvas;
  const strips = [[0, 0, width, 1], [0, height - 1, width, 1], [0, 0, 1, height], [width - 1, 0, 1, height]];
  const pixels = strips.flatMap((strip) => [...context.getImageData(...strip).data].filter((_, index) => index % 4 < 3));
  return pixels.reduce((sum, value) => sum + value, 0) / pixels.length;
}

// Whether the model draws on a light ground, by the samples that the grid shows.
function onLight() {
  const levels = [...$("grid").querySelectorAll("img")].map((image) => {
    const canvas = element("canvas", { width: image.naturalWidth, height: image.naturalHeight });
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(image, 0, 0);
    return border(context);
  });
  return levels.reduce((sum, level) => sum + level, 0) > LIGHT * levels.length;
}

function invert(canvas) {
  const context = canvas.getContext("2d");
  context.globalCompositeOperation = "difference";
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.globalCompositeOperation = "source-over";
}

async function readFile(file) {
  if (!file) return;
  await guarded(async () => {
    const image = await createImageBitmap(file).catch(() => {
      throw new Error(`${file.name} is no picture that this browser can read.`);
    });
    readImage(image, `The picture ${file.name}`);
  });
}

$("clear").addEventListener("click", clearPad);
$("paper").addEventListener("change", clearPad);
$("file").addEventListener("change", async () => {
  await readFile($("file").files[0]);
  $("file").value = "";
});
function takeSample() {
  const image = $("grid").querySelectorAll("img")[followed()];
  if (image) readImage(image, image.alt);
}

$("take").addEventListener("click", takeSample);
$("invert").addEventListener("change", () => {
  if (!picture) return;
  invert(picture);
  if (picture === pad) reading.request();
  else showPicture(pad.getAttribute("aria-label"));
});
$("adopt").addEventListener("click", () => {
  for (const { code, value } of posterior ?? []) {
    state.values[code.name] = classesOf(code) ? value : Math.round(100 * Math.min(2, Math.max(-2, value))) / 100;
  }
  changed();
});
const dropZone = $("read");
for (const type of ["dragover", "dragleave", "drop"]) {
  // Anywhere else on the page a file that is dropped would replace the page.
  document.addEventListener(type, (event) => event.preventDefault());
  dropZone.addEventListener(type, () => dropZone.classList.toggle("dropping", type === "dragover"));
}
dropZone.addEventListener("drop", (event) => readFile(event.dataTransfer.files[0]));

// === Pictures of the training ===

function showTraining() {
  const names = Object.keys(site.pictures).filter((name) => site.pictures[name].length);
  if (!names.length) return;
  $("training").hidden = false;
  document.querySelector("main").classList.add("with-training");
  names.sort((a, b) => (b === "samples") - (a === "samples"));
  $("picture").replaceChildren(...names.map((name) => new Option(name === "samples" ? "samples" : `along ${name}`, name)));
  const show = () => {
    const name = $("picture").value;
    const steps = site.pictures[name];
    $("step").max = steps.length - 1;
    const step = steps[$("step").value];
    const words = `step ${step.toLocaleString("en")}`;
    $("step").setAttribute("aria-valuetext", words);
    $("step-shown").textContent = words;
    $("drawn").src = `/samples/${name}/${step}`;
    $("drawn").alt = `${$("picture").selectedOptions[0].text} at ${words}`;
  };
  $("step").max = site.pictures[names[0]].length - 1;
  $("step").value = $("step").max;
  $("picture").addEventListener("change", show);
  $("step").addEventListener("input", show);
  show();
}

// === Beginning ===

async function begin() {
  site = await (await ask("/explorer.json")).json();
  meta = parse(await predict("describe", { what: "metadata" }));
  if (meta.format !== FORMAT) throw new Error(`This page knows models exported with metadata of format ${FORMAT}, not ${meta.format}.`);
  const facts = [meta.dataset, meta.step && `step ${meta.step.toLocaleString("en")}`, meta.latents, site.source];
  $("about").textContent = facts.filter(Boolean).join(" · ");
  $("title").textContent = `${meta.model} explorer`;
  document.title = `${meta.model} explorer: ${meta.dataset || site.model}`;
  $("codes").replaceChildren(...meta.codes.map(codeCard));
  document.querySelector("main").hidden = false;
  readFragment();
  addEventListener("hashchange", () => {
    readFragment();
    changed();
  });
  showTraining();
  await changed();
  if (!readCodes().length && meta.reads !== "noise") return;
  $("reader").textContent = READ[meta.reads] ?? READ.codes;
  makePad();
  $("read").hidden = false;
  takeSample();
}

begin().catch((error) => {
  $("about").textContent = "";
  showError(begin, error.message);
});
