/** The link to go on with a health check elsewhere: chosen whole when one comes to it, copied by a button. */

const box = document.querySelector("[data-link]");
const address = box.querySelector("input");
const button = box.querySelector("[data-copy]");
const status = box.querySelector("[data-status]");

address.addEventListener("focus", () => address.select());

button.addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(address.value);
    button.textContent = "已复制";
    status.textContent = "链接已复制";
    setTimeout(() => (button.textContent = "复制链接"), 2000);
  } catch {
    address.focus();
    address.select();
    status.textContent = "请按复制键复制选中的链接";
  }
});
