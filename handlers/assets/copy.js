// A button beside each code block that copies it; without a script, or without a clipboard, there is none.
if (navigator.clipboard) {
  for (const caption of document.querySelectorAll(".code > figcaption")) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "copy", textContent: "Copy" });
    button.setAttribute("aria-label", `Copy: ${caption.textContent.trim()}`);
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(caption.parentElement.querySelector("pre").textContent);
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = "Copy"), 2000);
    });
    caption.append(button);
  }
}
