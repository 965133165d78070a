/* global document */
/**
 * A tree of names and values that folds. Only what is unfolded is made and kept up to date; what was unfolded stays so, by its path,
 * for as long as the page lives.
 *
 * A node is `{ name, value?, children?, open?, tone? }`: `value` a text, `children` a function that gives nodes, `open` whether it is
 * unfolded at first.
 */
export class Tree {
  #root;
  /** By path: whether its reader has folded or unfolded it. */
  #folds = new Map();
  #read = () => [];

  constructor(root) {
    this.#root = root;
  }

  /** Shows these nodes; the elements of those that were there stay. */
  show(read) {
    this.#read = read;
    this.#fill(this.#root, read(), '');
  }

  #fill(list, nodes, path) {
    const known = (list.known ??= new Map());
    const names = new Set();
    let place = list.firstElementChild;
    for (const node of nodes) {
      names.add(node.name);
      let item = known.get(node.name);
      if (item === undefined || item.isBranch !== (node.children !== undefined)) {
        item?.element.remove();
        item = this.#make(node, `${path}/${node.name}`);
        known.set(node.name, item);
      }
      if (item.element === place) place = place.nextElementSibling;
      else list.insertBefore(item.element, place);
      this.#update(item, node);
    }
    for (const [name, { element }] of known) {
      if (names.has(name)) continue;
      element.remove();
      known.delete(name);
    }
  }

  #make(node, path) {
    const element = document.createElement('li');
    const value = document.createElement('span');
    value.className = 'value';
    const name = document.createElement('span');
    name.className = 'name';
    name.textContent = node.name;
    if (node.children === undefined) {
      element.append(name, value);
      return { element, value, isBranch: false };
    }
    const details = document.createElement('details');
    const summary = document.createElement('summary');
    const list = document.createElement('ul');
    summary.append(name, value);
    details.append(summary, list);
    element.append(details);
    details.open = this.#folds.get(path) ?? node.open ?? false;
    const item = { element, value, isBranch: true, details, list, path };
    summary.addEventListener('click', () => {
      // The event comes before it folds.
      this.#folds.set(path, !details.open);
    });
    details.addEventListener('toggle', () => {
      if (details.open) this.#fill(this.#root, this.#read(), '');
      else list.replaceChildren();
      if (!details.open) list.known = undefined;
    });
    return item;
  }

  #update(item, node) {
    const text = node.value ?? '';
    if (item.text !== text) item.value.textContent = item.text = text;
    if (item.tone !== node.tone) item.value.dataset.tone = item.tone = node.tone ?? '';
    if (item.isBranch && item.details.open) this.#fill(item.list, node.children(), item.path);
  }
}
