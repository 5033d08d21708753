import type { Inspection } from '../src/index.ts'
import { h } from './dom.ts'
import type { Roster } from './roster.ts'

/** All that `keeper.inspect()` says of this page's replica. */
export class InspectPanel {
  readonly #details: HTMLDetailsElement
  readonly #body: HTMLElement
  readonly #roster: Roster

  constructor(details: HTMLDetailsElement, body: HTMLElement, roster: Roster) {
    this.#details = details
    this.#body = body
    this.#roster = roster
  }

  show(now: Inspection): void {
    if (!this.#details.open) return
    const who = (replica: number): string => this.#roster.letterOf(replica)
    const rows: readonly [string, string][] = [
      ['ensemble', `${now.ensemble} (${now.ensembleId.slice(0, 8)}…)`],
      ['replica', `${now.replica} (member ${who(now.replica)}), incarnation ${now.incarnation}`],
      ['role', now.role],
      ['leader', now.leader === null ? 'none' : `${now.leader} (member ${who(now.leader)})`],
      ['epoch', `accepted ${now.epoch.accepted}, current ${now.epoch.current}`],
      [
        'zxid',
        Object.entries(now.zxid)
          .map(([name, zxid]) => `${name} ${zxid}`)
          .join(', '),
      ],
      ['voters', `${now.voters.map(who).join(', ')}${now.joint ? ' (two configurations count)' : ''}`],
      ['tree', `${now.tree.znodes} znodes, ${now.tree.dataBytes} bytes, ${now.tree.watches} watches`],
      ['digest', now.tree.digest],
      ['log', `${now.storage.entries} entries, ${now.storage.bytes ?? 'unknown'} bytes, ${now.storage.state}`],
      ['sessions', now.sessions.map((one) => `${one.id}${one.here ? ' (here)' : ''}`).join(', ')],
      [
        'marks',
        Object.entries(now.marks)
          .map(([name, count]) => `${name} ${count}`)
          .join(', ') || 'none',
      ],
    ]
    const links = now.links.map((link) =>
      h(
        'tr',
        {},
        ...[
          who(link.peer),
          link.state,
          link.transferred ? 'worker' : 'page',
          link.sent,
          link.received,
          link.bufferedBytes,
        ].map((cell) => h('td', {}, String(cell))),
      ),
    )
    const heads = ['link to', 'state', 'channel in', 'sent', 'received', 'buffered']
    this.#body.replaceChildren(
      h('dl', { class: 'facts' }, ...rows.flatMap(([term, words]) => [h('dt', {}, term), h('dd', {}, words)])),
      h(
        'div',
        { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Links of this replica' },
        h(
          'table',
          {},
          h('thead', {}, h('tr', {}, ...heads.map((head) => h('th', { scope: 'col' }, head)))),
          h('tbody', {}, ...links),
        ),
      ),
    )
  }
}
