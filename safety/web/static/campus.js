"use strict";
// Small helps only: every page works without this file.

// A form is sent once, however often the button is pressed; coming back by the back button opens it again.
const release = (form) => {
  delete form.dataset.sent;
  form.removeAttribute("aria-busy");
  form.querySelectorAll("button[type=submit]").forEach((button) => { button.disabled = false; });
};

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.hasAttribute("data-once")) return;
  if (form.dataset.sent || (form.dataset.confirm && !window.confirm(form.dataset.confirm))) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  form.setAttribute("aria-busy", "true");
  // After the browser has collected the fields, so that the button's own value is among them.
  window.setTimeout(() => form.querySelectorAll("button[type=submit]").forEach((button) => { button.disabled = true; }));
});

window.addEventListener("pageshow", () => document.querySelectorAll("form[data-once]").forEach(release));

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
  document.querySelectorAll("details.me[open]").forEach((menu) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") document.querySelectorAll("details.me[open]").forEach((menu) => { menu.open = false; });
});

// What is wrong with a form is read out and seen first.
const wrong = document.querySelector("[data-focus]");
if (wrong) wrong.focus();
