/* SPDX-License-Identifier: Apache-2.0
 *
 * Keeps the page up to date: asks for it again and carries over what differs,
 * so that focus, scrolling, open details and selected text stay.  Makes no
 * markup of text, and asks once at a time.
 */
(function () {
"use strict";

const PERIOD_SEC = 5;
const TIMEOUT_MS = 10000;
const SLOWEST_SEC = 60;
const TYPING_MS = 250;
const SECOND_MS = 1000;
const TRIED = "manager-tried";

const own = src_of(document);
/* Without the user's name and password, which fetch refuses. */
const address = location.origin + location.pathname;
const box = document.getElementById("live");
const status = box.querySelector("[role=status]");
const silence = document.createElement("span");
const button = document.createElement("button");
const received = new Map();
const seen = new Map(); /* what has an id may be wanted elsewhere */

let period = period_of(document);
let paused = false;
let failures = 0;
let answered = Date.now();
let asked = location.search;
let shown = asked; /* what the links are of */
let timer = 0;
let typing_timer = 0;
let typed = null; /* the field whose text is newer than the address */
let is_new_step = true; /* the next filter gets a place in history */
let request = null;

function src_of(page) {
  return page.querySelector("script[src]").getAttribute("src");
}

function period_of(page) {
  return Number(page.body.dataset.refresh) || PERIOD_SEC;
}

/* ---- carrying over ---- */

function copy_attributes(from, to) {
  for (const name of to.getAttributeNames().concat(from.getAttributeNames())) {
    const value = from.getAttribute(name);

    /* Open or not is the reader's, tabindex may be of refocus(). */
    if (name === "open" || value === to.getAttribute(name)) {
      continue;
    }
    if (value !== null) {
      to.setAttribute(name, value);
    }
    else if (name !== "tabindex") {
      to.removeAttribute(name);
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

/* The child at `at` or, when `child` has an id, wherever that is. */
function find_same(child, at) {
  const { id } = child;
  const same = id ? seen.get(id) : at;

  return same?.nodeName === child.nodeName && (id || !same.id) ? same : null;
}

function copy_children(from, to) {
  const coming = ids_of(from);
  let at;

  ids_of(to).forEach((child, id) => {
    seen.set(id, child);
    if (coming.get(id)?.nodeName !== child.nodeName) {
      child.remove();
    }
  });
  at = to.firstChild;
  for (const child of Array.from(from.childNodes)) {
    const same = find_same(child, at);

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
  const known = text && received.get(to.id) === text;

  if (text) {
    received.set(to.id, text);
  }
  return known;
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

  try {
    const tried = sessionStorage.getItem(TRIED) || "";

    if (src !== own && !tried.split("\n").includes(src)) {
      sessionStorage.setItem(TRIED, tried + "\n" + src);
      location.reload();
    }
  }
  catch {
    /* Without a memory it would be tried for ever. */
  }
}

/* To what had to move, or near to what is gone. */
function refocus(focused, section) {
  const id = focused.closest("#found") ? "filter" : focused.id;
  let to = focused;

  if (!to.isConnected) {
    to = document.getElementById(id) ||
      (section || document).querySelector("h2");
    if (to?.tabIndex < 0) {
      to.tabIndex = -1;
    }
  }
  if (to !== document.activeElement) {
    to?.focus({ preventScroll: true });
  }
}

function length_of(node) {
  return node.data?.length ?? node.childNodes.length;
}

function ends_of({ anchorNode, anchorOffset, focusNode, focusOffset }) {
  return [anchorNode, anchorOffset, focusNode, focusOffset];
}

/* What was selected, as far as it is still there: the browser forgets it where
 * a node moves or its text is set. */
function reselect(ends) {
  const [from, at, to, end] = ends;
  const now = ends_of(getSelection());
  const is_caret = from === to && at === end;

  if (from?.isConnected && to?.isConnected && !is_caret &&
      ends.some((one, i) => one !== now[i])) {
    getSelection().setBaseAndExtent(from, Math.min(at, length_of(from)),
      to, Math.min(end, length_of(to)));
  }
}

function take(text) {
  const page = new DOMParser().parseFromString(text, "text/html");
  const focused = document.activeElement || document.body;
  const selected = ends_of(getSelection());
  const section = focused.closest("section");

  if (!page.getElementById("live") || !/<\/html>\s*$/.test(text)) {
    throw new Problem("no whole page");
  }
  reload_for(page);
  seen.clear();
  document.title = page.title;
  period = period_of(page);
  for (const part of ["link[rel=icon]", "header", "main", "footer"]) {
    const from = page.querySelector(part);
    const to = document.querySelector(part);

    if (from && to) {
      copy(from, to);
    }
  }
  refocus(focused, section);
  reselect(selected);
}

/* ---- asking ---- */

class Problem extends Error {}

function wait() {
  clearTimeout(timer);
  if (!paused && !document.hidden) {
    timer = setTimeout(refresh, SECOND_MS *
      Math.max(period, Math.min(2 ** failures, SLOWEST_SEC)));
  }
}

function report(problem) {
  const silent_sec = Math.round((Date.now() - answered) / SECOND_MS);
  const doing = paused ? "paused"
    : problem ? "trying again" : `live, every ${period} s`;
  const said = problem ? problem + ", " + doing : doing;

  /* What is said again is read aloud again; so the seconds stand beside it. */
  if (status.textContent !== said) {
    status.textContent = said;
  }
  silence.hidden = !problem;
  silence.textContent = `last answer ${Math.max(silent_sec, 0)} s ago`;
  box.classList.toggle("bad", problem !== "");
}

function stop() {
  clearTimeout(timer);
  request?.abort();
  request = null;
}

async function refresh() {
  const mine = new AbortController();
  const limit = setTimeout(() => mine.abort(), TIMEOUT_MS);
  let problem = "";

  stop();
  request = mine;
  asked = location.search;
  try {
    const answer = await fetch(address + asked,
      { cache: "no-store", signal: mine.signal });
    const text = await answer.text();

    if (!answer.ok) {
      throw new Problem("the server has answered " + answer.status);
    }
    if (mine === request) {
      take(text);
      shown = asked;
      answered = Date.now();
    }
  }
  catch (error) {
    problem = error instanceof Problem ? error.message : "no answer";
  }
  clearTimeout(limit);
  if (mine === request) {
    request = null;
    failures = problem ? failures + 1 : 0;
    report(problem);
    wait();
  }
}

function go(search, hash, is_step) {
  if (search !== location.search) {
    history[is_step ? "pushState" : "replaceState"](null, "",
      address + search + hash);
  }
  refresh();
}

/* ---- the reader ---- */

function toggle() {
  paused = !paused;
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

function bare(text) {
  return text.replace(/\/$/, "");
}

/* What a link changes of the page that it was made for, changed in the address
 * as it is now: a filter may have been typed since. */
function search_by(link) {
  const was = new URLSearchParams(shown);
  const wanted = new URLSearchParams(link);
  const query = new URLSearchParams(location.search);

  for (const name of new Set([...was.keys(), ...wanted.keys()])) {
    const value = wanted.get(name);

    if (value === null) {
      query.delete(name);
    }
    else if (value !== was.get(name)) {
      query.set(name, value);
    }
  }
  return shown === location.search ? link : String(query) && "?" + query;
}

function on_click(event) {
  const link = event.target.closest("a[href]");
  let search;
  let url;

  /* With a modifier key the browser opens it elsewhere. */
  if (!(link instanceof HTMLAnchorElement) || link.target ||
      event.defaultPrevented || event.button !== 0 || event.altKey ||
      event.ctrlKey || event.metaKey || event.shiftKey) {
    return;
  }
  url = new URL(link.href);
  if (bare(url.origin + url.pathname) !== bare(address) ||
      link.getAttribute("href").startsWith("#")) {
    return;
  }
  event.preventDefault();
  search = search_by(url.search);
  if (search !== location.search || !url.hash) {
    go(search, url.hash, true);
  }
  else {
    /* As the browser would, but for a question mark with nothing after it. */
    location.assign(url.hash);
  }
}

function search_of({ filter }) {
  const query = new URLSearchParams(location.search);

  query.set("filter", filter.value);
  if (!filter.value) {
    query.delete("filter");
  }
  return String(query) && "?" + query;
}

function send(form) {
  clearTimeout(typing_timer);
  typing_timer = 0;
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
    clearTimeout(typing_timer);
    typed = null;
    received.clear();
    refresh();
  }
}

Object.assign(button, { id: "live-pause", type: "button", onclick: toggle,
  textContent: "Pause" });
button.setAttribute("aria-pressed", "false");
box.append(silence, button);
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
