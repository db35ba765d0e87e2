// The browser of a person, as far as the pages need one: it follows no redirect by itself, keeps cookies, and sends forms.
import assert from 'node:assert/strict'

export class Browser {
  #base
  #cookies = new Map()

  constructor(base) {
    this.#base = base
  }

  async #ask(address, form) {
    const headers = { accept: 'text/html', ...(this.#cookies.size && { cookie: [...this.#cookies].map((pair) => pair.join('=')).join('; ') }), ...(form && { 'sec-fetch-site': 'same-origin' }) }
    const response = await fetch(new URL(address, this.#base), { redirect: 'manual', method: form ? 'POST' : 'GET', headers, body: form && new URLSearchParams(form) })
    for (const cookie of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]*)=([^;]*)/.exec(cookie)
      this.#cookies.set(name, value)
    }
    return { status: response.status, location: response.headers.get('location'), page: await response.text() }
  }

  // authorize goes where an application sends the browser, logs in, allows what is asked, and returns where the browser is sent back to.
  async authorize(address, username, password) {
    let answer = await this.#ask(address)
    for (let step = 0; step < 5; step++) {
      if (answer.status === 303 && !answer.location.startsWith('/')) return new URL(answer.location)
      if (answer.status === 303) {
        answer = await this.#ask(answer.location)
        continue
      }
      assert.equal(answer.status, 200, answer.page)
      const request = answer.page.match(/name="request" value="([^"]*)"/)[1].replaceAll('&amp;', '&').replaceAll('&#43;', '+')
      answer = answer.page.includes('<h1>Log in</h1>')
        ? await this.#ask('/login', { username, password, request })
        : await this.#ask('/consent', { decision: 'allow', request })
    }
    assert.fail('the browser is not sent back')
  }
}
