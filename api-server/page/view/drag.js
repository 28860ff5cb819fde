// Dragging a todo with a mouse, a pen or a finger: to another place, or onto a list. The keyboard is in
// `items`.

/**
 * @param {PointerEvent} start on the handle of a todo
 * @param {Element} list that the todo is in
 * @param {(where: {index: number | null, list: unknown}) => void} done `index` is null without a move;
 *   `list` is
 *   undefined unless the todo was dropped on a list
 */
export function startDragging(start, list, done) {
  const handle = start.target;
  const item = handle.closest('.todo');
  const before = [...list.children].indexOf(item);
  let over = null;
  handle.setPointerCapture(start.pointerId);
  item.classList.add('dragging');

  const move = (event) => {
    mark(over, false);
    over = document.elementFromPoint(event.clientX, event.clientY)?.closest('[data-list]') ?? null;
    mark(over, true);
    const next = [...list.children].find((other) => other !== item && event.clientY < middle(other));
    // A todo that is moved in the document loses the pointer, unless it stays where it is.
    if (next !== item.nextElementSibling && (next ?? null) !== item) {
      list.insertBefore(item, next ?? null);
      if (!handle.hasPointerCapture(event.pointerId)) handle.setPointerCapture(event.pointerId);
    }
  };
  const end = (dropped) => {
    handle.removeEventListener('pointermove', move);
    handle.removeEventListener('pointerup', drop);
    handle.removeEventListener('pointercancel', cancel);
    removeEventListener('keydown', escape, true);
    item.classList.remove('dragging');
    mark(over, false);
    const index = [...list.children].indexOf(item);
    const onto = over?.dataset.list === '' ? null : Number(over?.dataset.list) || over?.dataset.list;
    if (dropped && over) done({ index: null, list: onto });
    else done({ index: dropped && index !== before ? index : null, list: undefined });
  };
  const drop = () => end(true);
  const cancel = () => end(false);
  const escape = (event) => event.key === 'Escape' && end(false);
  handle.addEventListener('pointermove', move);
  handle.addEventListener('pointerup', drop);
  handle.addEventListener('pointercancel', cancel);
  addEventListener('keydown', escape, true);
}

const mark = (list, isOver) => list?.classList.toggle('drop', isOver);

function middle(element) {
  const { top, height } = element.getBoundingClientRect();
  return top + height / 2;
}
