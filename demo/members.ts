import { h } from './dom.ts'
import type { Status } from './gossip.ts'
import { colourOf, letter } from './names.ts'
import type { MemberHere, Roster } from './roster.ts'

interface Row {
  readonly item: HTMLLIElement
  readonly role: HTMLElement
  readonly kill: HTMLButtonElement
}

/** The members as a list: what the ring shows, in words, with a button to kill each. */
export class MembersPanel {
  readonly #list: HTMLElement
  readonly #roster: Roster
  readonly #kill: (replica: number) => void
  readonly #rows = new Map<number, Row>()

  constructor(list: HTMLElement, roster: Roster, kill: (replica: number) => void) {
    this.#list = list
    this.#roster = roster
    this.#kill = kill
  }

  /** Rows are kept, so that the focus stays where it is. */
  draw(view: Status | null, own: number | null, tilesOf: (name: number) => number): void {
    const members = this.#roster.members
    for (const [replica, { item }] of [...this.#rows]) {
      if (members.some((member) => member.replica === replica)) continue
      item.remove()
      this.#rows.delete(replica)
    }
    members.forEach((member, i) => {
      const row = this.#rows.get(member.replica) ?? this.#make(member, own)
      const votes = view?.voters.includes(member.replica) ?? false
      const role = view?.leader === member.replica ? 'leads' : votes ? 'follows' : 'observes'
      const home = member.replica === own ? 'this page' : member.home === 'frame' ? 'a frame' : 'another tab'
      const tiles = tilesOf(member.name)
      row.role.textContent = `${role} · ${home} · ${tiles} ${tiles === 1 ? 'tile' : 'tiles'}`
      if (this.#list.children[i] !== row.item) this.#list.insertBefore(row.item, this.#list.children[i] ?? null)
    })
    this.#list.dataset['empty'] = String(members.length === 0)
  }

  #make({ replica, name }: MemberHere, own: number | null): Row {
    const who = letter(name)
    const role = h('span', { class: 'role' })
    const what = replica === own ? `Kill member ${who}, this page's own` : `Kill member ${who}`
    const kill = h('button', { type: 'button', class: 'quiet', 'aria-label': what }, 'Kill')
    kill.addEventListener('click', () => this.#kill(replica))
    const item = h('li', { style: `--tint: ${colourOf(name)}` }, h('b', { class: 'chip' }, who), role, kill)
    const row = { item, role, kill }
    this.#rows.set(replica, row)
    return row
  }
}
