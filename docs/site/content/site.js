// Search in index.json, which fsdocs writes, and the switch between light and dark. Nothing is loaded from another site.

const root = document.documentElement.dataset.root;

document.querySelector("#theme-btn").addEventListener("click", () => {
    const current = getComputedStyle(document.documentElement).colorScheme;
    const isDark = current === "dark" || (current !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
    const theme = isDark ? "light" : "dark";
    document.documentElement.dataset.theme = theme;
    localStorage.setItem("theme", theme);
});

// Names in tables may break after a dot.
for (const code of document.querySelectorAll("#content table:not(.pre) td code"))
    if (code.childElementCount === 0) code.innerHTML = code.innerHTML.replace(/\.(?=[A-Za-z])/g, ".<wbr>");

const dialog = document.querySelector("dialog");
const box = dialog.querySelector("input");
const list = dialog.querySelector("ul");
const message = dialog.querySelector(".empty");
let loading = null;

async function load() {
    const response = await fetch(root + "index.json");
    const pages = await response.json();
    return pages.map(page => ({
        uri: root + page.uri.replace(/^\//, ""),
        title: page.title.trim(),
        isPage: page.type === "content",
        heads: [page.title, ...(page.headings ?? [])].join("\n").toLowerCase(),
        text: (page.content ?? "").toLowerCase(),
    }));
}

// Every word must occur. A word in the title counts most, then one in a heading, then one in the text; pages come before the API.
function find(index, words) {
    const rank = page => {
        let sum = page.isPage ? 1 : 0;
        for (const word of words) {
            if (page.title.toLowerCase() === word) sum += 20;
            if (page.title.toLowerCase().includes(word)) sum += 10;
            else if (page.heads.includes(word)) sum += 5;
            else if (page.text.includes(word)) sum += 1;
            else return 0;
        }
        return sum;
    };
    return index
        .map(page => ({ page, rank: rank(page) }))
        .filter(found => found.rank > 0)
        .sort((a, b) => b.rank - a.rank || a.page.title.length - b.page.title.length)
        .slice(0, 30)
        .map(found => found.page);
}

async function search() {
    const words = box.value.toLowerCase().split(/\s+/).filter(word => word);
    let index;
    try {
        index = await (loading ??= load());
    } catch {
        message.textContent = "The search index cannot be loaded: open the site through a web server.";
        return;
    }
    const found = words.length ? find(index, words) : [];
    list.replaceChildren(
        ...found.map(page => {
            const link = document.createElement("a");
            link.href = page.uri;
            link.textContent = page.title;
            const kind = document.createElement("small");
            kind.textContent = page.isPage ? "page" : "API";
            link.append(kind);
            const item = document.createElement("li");
            item.append(link);
            return item;
        }),
    );
    message.textContent = words.length && !found.length ? "Nothing was found." : "";
    message.hidden = message.textContent === "";
}

function open() {
    dialog.showModal();
    box.focus();
    search();
}

document.querySelector("#search-btn").addEventListener("click", open);
box.addEventListener("input", search);
box.addEventListener("keydown", event => {
    if (event.key === "Enter") list.querySelector("a")?.click();
});
dialog.addEventListener("click", event => {
    if (event.target === dialog) dialog.close();
});
addEventListener("keydown", event => {
    const isTyping = /^(INPUT|TEXTAREA)$/.test(document.activeElement?.tagName ?? "");
    if (!dialog.open && ((event.key === "/" && !isTyping) || (event.key === "k" && (event.ctrlKey || event.metaKey)))) {
        event.preventDefault();
        open();
    }
});
