// The format of Server-Sent Events (https://html.spec.whatwg.org/multipage/server-sent-events.html). Pure.
// Not EventSource, which cannot send a token.

/** Reads a stream piece by piece. */
export class EventParser {
  #rest = '';
  #started = false;
  #data = [];
  #event = '';
  #id;
  #retry;

  /**
   * @param {string} text the next piece
   * @returns {{event: string, data: string | null, id?: string, retry?: number}[]} data is null without a
   *   line
   */
  push(text) {
    this.#rest += text;
    if (!this.#started && this.#rest) {
      this.#started = true;
      this.#rest = this.#rest.replace(/^\uFEFF/, '');
    }
    const blocks = [];
    // A CR at the end may be half of a CR LF.
    for (let end; (end = /\r\n|\n|\r(?=.)/s.exec(this.#rest));) {
      const line = this.#rest.slice(0, end.index);
      this.#rest = this.#rest.slice(end.index + end[0].length);
      if (line === '') blocks.push(...this.#block());
      else this.#line(line);
    }
    return blocks;
  }

  #line(line) {
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') this.#data.push(value);
    if (field === 'event') this.#event = value;
    if (field === 'id' && !value.includes('\0')) this.#id = value;
    if (field === 'retry' && /^\d+$/.test(value)) this.#retry = Number(value);
  }

  /** Also a block with an id only, which tells the position of a stream that has just begun. */
  #block() {
    const data = this.#data.length > 0 ? this.#data.join('\n') : null;
    const block = { event: this.#event || 'message', data };
    if (this.#id !== undefined) block.id = this.#id;
    if (this.#retry !== undefined) block.retry = this.#retry;
    const empty = data === null && block.id === undefined && block.retry === undefined;
    [this.#data, this.#event, this.#id, this.#retry] = [[], '', undefined, undefined];
    return empty ? [] : [block];
  }
}
