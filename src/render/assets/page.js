/* SPDX-License-Identifier: Apache-2.0
 *
 * Keeps the page up to date in place: asks for its address again and carries
 * over what differs, so that focus, scrolling, open details and selected text
 * stay.  Makes no markup of text, and never has two requests at once.
 */
(function () {
"use strict";

const PERIOD_SEC = 5;
const TIMEOUT_SEC = 10;
const SLOWEST_SEC = 60;
const TYPING_MS = 250;
const SECOND_MS = 1000;

const own = src_of(document);
const box = document.getElementById("live");
const status = box.querySelector("[role=status]");
const button = document.createElement("button");
const received = new Map();

let period = period_of(document);
let paused = false;
let failures = 0;
let answered = Date.now();
let asked = location.search;
let timer = 0;
let typing_timer = 0;
let typed = null;      /* the field whose text is newer than the address */
let is_new_step = true; /* the next filter gets its own place in history */
let request = null;

function src_of(page) {
  return page.querySelector("script[src]").getAttribute("src");
}

function period_of(page) {
  return Number(page.body.dataset.refresh) || PERIOD_SEC;
}

/* ---- carrying over ---- */

function copy_attributes(from, to) {
  for (const { name } of Array.from(to.attributes)) {
    /* Open or not is the reader's, not the server's. */
    if (!from.hasAttribute(name) && name !== "open") {
      to.removeAttribute(name);
    }
  }
  for (const { name, value } of Array.from(from.attributes)) {
    if (to.getAttribute(name) !== value && name !== "open") {
      to.setAttribute(name, value);
    }
  }
}

function drop(node) {
  const next = node.nextSibling;

  node.remove();
  return next;
}

function ids_of(element) {
  return new Map(Array.from(element.children).filter((child) => child.id)
    .map((child) => [child.id, child]));
}

/* The child of `to` at `at` or, when `child` has an id, wherever it is. */
function find_same(child, at, there) {
  const same = child.id ? there.get(child.id) : at;

  return same && same.nodeName === child.nodeName &&
    (child.id || !same.id) ? same : null;
}

function copy_children(from, to) {
  const coming = ids_of(from);
  const there = ids_of(to);
  let at;

  there.forEach((child, id) => coming.has(id) || child.remove());
  at = to.firstChild;
  for (const child of Array.from(from.childNodes)) {
    const same = find_same(child, at, there);

    while (same && at && at !== same && !at.id) {
      at = drop(at);
    }
    if (same && same === at) {
      at = at.nextSibling;
    }
    else {
      to.insertBefore(same || child, at);
    }
    if (same) {
      copy(child, same);
    }
  }
  while (at) {
    at = drop(at);
  }
}

/* A part of main that is what the server said last needs no look. */
function is_known(from, to) {
  const text = to.parentNode.nodeName === "MAIN" && to.id && from.outerHTML;

  if (text && received.get(to.id) === text) {
    return true;
  }
  if (text) {
    received.set(to.id, text);
  }
  return false;
}

function copy(from, to) {
  if (to.nodeType !== Node.ELEMENT_NODE) {
    if (to.data !== from.data) {
      to.data = from.data;
    }
    return;
  }
  if (to === box || is_known(from, to)) {
    return;
  }
  copy_attributes(from, to);
  if (to.nodeName === "INPUT" && to !== typed && to.value !== from.value) {
    to.value = from.value;
  }
  copy_children(from, to);
}

/* A newer server has a newer script; but never for the same one twice, since
 * several servers may answer by turns. */
function reload_for(page) {
  const src = src_of(page);
  const tried = (history.state && history.state.tried) || [];

  if (src !== own && !tried.includes(src)) {
    history.replaceState({ tried: tried.concat(src) }, "");
    location.reload();
  }
}

function take(text) {
  const page = new DOMParser().parseFromString(text, "text/html");
  const focused = document.activeElement;

  if (!page.getElementById("live") || !/<\/html>\s*$/.test(text)) {
    throw new Problem("no whole page");
  }
  reload_for(page);
  document.title = page.title;
  period = period_of(page);
  for (const part of ["link[rel=icon]", "header", "main", "footer"]) {
    const from = page.querySelector(part);
    const to = document.querySelector(part);

    if (from && to) {
      copy(from, to);
    }
  }
  /* What had to move has lost it. */
  if (focused !== document.activeElement && focused.isConnected) {
    focused.focus({ preventScroll: true });
  }
}

/* ---- asking ---- */

function Problem(text) {
  this.text = text;
}

function delay_sec() {
  const slower = failures > 0 ? Math.pow(2, failures) : 0;

  return Math.max(period, Math.min(slower, SLOWEST_SEC));
}

function wait() {
  clearTimeout(timer);
  if (!paused && !document.hidden) {
    timer = setTimeout(refresh, delay_sec() * SECOND_MS);
  }
}

function report(problem) {
  const silent_sec = Math.round((Date.now() - answered) / SECOND_MS);
  const text = problem ? `${problem} for ${silent_sec} s, ` +
    (paused ? "paused" : "trying again")
    : paused ? "paused" : `live, every ${period} s`;

  /* What is said again is read aloud again. */
  if (status.textContent !== text) {
    status.textContent = text;
  }
  box.classList.toggle("bad", problem !== "");
}

async function ask(signal) {
  /* Without the user's name and password, which fetch refuses. */
  const answer = await fetch(
    location.origin + location.pathname + location.search,
    { cache: "no-store", signal });
  const text = await answer.text();

  if (!answer.ok) {
    throw new Problem("the server has answered " + answer.status);
  }
  return text;
}

function stop() {
  clearTimeout(timer);
  if (request) {
    request.abort();
    request = null;
  }
}

async function refresh() {
  const mine = new AbortController();
  const limit = setTimeout(() => mine.abort(), TIMEOUT_SEC * SECOND_MS);
  let problem = "";

  stop();
  request = mine;
  asked = location.search;
  try {
    const text = await ask(mine.signal);

    if (mine !== request) {
      return;
    }
    take(text);
    failures = 0;
    answered = Date.now();
  }
  catch (error) {
    if (mine !== request) {
      return;
    }
    failures++;
    problem = error instanceof Problem ? error.text : "no answer";
  }
  finally {
    clearTimeout(limit);
  }
  request = null;
  report(problem);
  wait();
}

function go(search, hash, is_step) {
  if (search !== location.search) {
    history[is_step ? "pushState" : "replaceState"](history.state, "",
      location.origin + location.pathname + search + hash);
  }
  refresh();
}

/* ---- the reader ---- */

function set_paused(value) {
  paused = value;
  button.setAttribute("aria-pressed", String(paused));
  if (paused) {
    stop();
    report("");
  }
  else {
    refresh();
  }
}

function wake() {
  if (document.hidden) {
    clearTimeout(timer);
  }
  else if (!paused) {
    refresh();
  }
}

function place_of(address) {
  return address.origin + address.pathname.replace(/\/$/, "");
}

function on_click(event) {
  const link = event.target.closest("a[href]");
  let url;

  /* With a modifier key the browser opens it elsewhere. */
  if (!(link instanceof HTMLAnchorElement) || link.target ||
      event.defaultPrevented || event.button !== 0 || event.altKey ||
      event.ctrlKey || event.metaKey || event.shiftKey) {
    return;
  }
  url = new URL(link.href);
  if (place_of(url) === place_of(location) &&
      (url.search !== location.search || !url.hash)) {
    event.preventDefault();
    go(url.search, url.hash, true);
  }
}

/* The address with what the fields of the form say. */
function search_of(form) {
  const query = new URLSearchParams(location.search);
  const names = new Set(Array.from(form.elements)
    .filter((field) => field.name && field.type !== "hidden")
    .map((field) => field.name));

  names.forEach((name) => query.delete(name));
  new FormData(form).forEach((value, name) => {
    if (names.has(name) && value !== "") {
      query.append(name, value);
    }
  });
  return query.toString() === "" ? "" : "?" + query.toString();
}

function forget_typing() {
  clearTimeout(typing_timer);
  typing_timer = 0;
}

function send(form) {
  forget_typing();
  go(search_of(form), location.hash, is_new_step);
  is_new_step = false;
}

function is_ours(form) {
  return form && form.method === "get" && form.closest("main");
}

function on_input(event) {
  const form = event.target.form;

  if (is_ours(form)) {
    typed = event.target;
    clearTimeout(typing_timer);
    typing_timer = setTimeout(send, TYPING_MS, form);
  }
}

function on_leave(event) {
  if (event.target !== typed) {
    return;
  }
  if (typing_timer) {
    send(typed.form);
  }
  typed = null;
  is_new_step = true;
}

function on_submit(event) {
  if (is_ours(event.target)) {
    event.preventDefault();
    send(event.target);
  }
}

function on_key(event) {
  if (event.key === "Escape" && is_ours(event.target.form) &&
      event.target.value) {
    event.preventDefault();
    event.target.value = "";
    typed = event.target;
    send(event.target.form);
  }
}

function on_history() {
  if (location.search !== asked) {
    forget_typing();
    typed = null;
    received.clear();
    refresh();
  }
}

button.id = "live-pause";
button.type = "button";
button.textContent = "Pause";
button.setAttribute("aria-pressed", "false");
button.addEventListener("click", () => set_paused(!paused));
box.appendChild(button);
ids_of(document.querySelector("main")).forEach(
  (part, id) => received.set(id, part.outerHTML));

Object.entries({
  click: on_click, input: on_input, focusout: on_leave, submit: on_submit,
  keydown: on_key, visibilitychange: wake
}).forEach(([name, act]) => document.addEventListener(name, act));
window.addEventListener("popstate", on_history);
window.addEventListener("pageshow", (event) => event.persisted && wake());
window.addEventListener("online", wake);
report("");
wait();
}());
