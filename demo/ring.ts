import { h, listed, svg } from './dom.ts'
import type { Status } from './gossip.ts'
import { colourOf } from './names.ts'
import type { MemberHere, Roster } from './roster.ts'

const SIZE = { width: 400, height: 338 }
const CENTRE = { x: 200, y: 160 }
const RADIUS = 112
const NODE = 27
const CROWN = 'M-12 5 L-15 -7 L-7 -1 L0 -11 L7 -1 L15 -7 L12 5 Z'

interface Spot {
  readonly replica: number
  readonly x: number
  readonly y: number
  readonly name: number | null
  readonly member: MemberHere | null
}

/** The ensemble as one member sees it, this page's own if it can, with what the others say of themselves. */
export class Ring {
  readonly #root: SVGSVGElement
  readonly #hint: HTMLElement
  readonly #roster: Roster
  readonly #calm = matchMedia('(prefers-reduced-motion: reduce)')
  #committed = ''
  #drawn = ''

  constructor(root: SVGSVGElement, hint: HTMLElement, roster: Roster) {
    this.#root = root
    this.#hint = hint
    this.#roster = roster
    root.setAttribute('viewBox', `0 0 ${SIZE.width} ${SIZE.height}`)
  }

  draw(now: Status | null, own: number | null): void {
    const spots = this.#spots(now, own)
    const waiting = hintOf(now, own, this.#roster.members.length)
    this.#hint.hidden = waiting === null
    this.#hint.replaceChildren(
      ...(waiting === null ? [] : waiting.endsWith('…') ? [h('span', { class: 'spinner' }), waiting] : [waiting]),
    )
    const links = this.#links(now, spots)
    const leader = now?.leader ?? null
    const key = JSON.stringify([spots, links, leader, own, now?.epoch, now?.voters])
    if (key !== this.#drawn) {
      this.#drawn = key
      this.#root.replaceChildren(
        svg('g', {}, ...links.map(([a, b]) => this.#line(spots, a, b, leader))),
        svg('g', { class: 'pulses' }),
        this.#middle(now),
        ...spots.map((spot) => this.#node(spot, now, own)),
      )
      this.#root.setAttribute('aria-label', this.#words(spots, now))
    }
    if (now !== null && this.#committed !== now.zxid) {
      if (this.#committed !== '') this.#pulse(spots, links, leader)
      this.#committed = now.zxid
    }
  }

  /** Everybody who is here, and voters that are not: the gap they leave is part of the picture. */
  #spots(now: Status | null, own: number | null): Spot[] {
    const members = this.#roster.members
    const known = new Map(members.map((member) => [member.replica, member]))
    const all = new Set<number>([...known.keys(), ...(now?.voters ?? [])])
    if (own !== null) all.add(own)
    const order = [...all].sort((a, b) => (this.#roster.nameOf(a) ?? 1e9) - (this.#roster.nameOf(b) ?? 1e9) || a - b)
    return order.map((replica, i) => {
      const angle = (i / order.length) * 2 * Math.PI - Math.PI / 2
      return {
        replica,
        x: Math.round(CENTRE.x + RADIUS * Math.cos(angle) * 1.2),
        y: Math.round(CENTRE.y + RADIUS * Math.sin(angle)),
        name: this.#roster.nameOf(replica),
        member: known.get(replica) ?? null,
      }
    })
  }

  #links(now: Status | null, spots: readonly Spot[]): [number, number][] {
    const found = new Map<string, [number, number]>()
    const add = (a: number, b: number): void => {
      found.set(`${Math.min(a, b)}-${Math.max(a, b)}`, [a, b])
    }
    for (const peer of now?.links ?? []) add(now?.replica ?? 0, peer)
    for (const { member } of spots) for (const peer of member?.status?.links ?? []) add(member?.replica ?? 0, peer)
    const here = new Set(spots.filter(({ member }) => member !== null).map(({ replica }) => replica))
    return [...found.values()].filter(([a, b]) => here.has(a) && here.has(b))
  }

  #line(spots: readonly Spot[], a: number, b: number, leader: number | null): SVGElement {
    const [from, to] = [at(spots, a), at(spots, b)]
    const kind = a === leader || b === leader ? 'link led' : 'link'
    return svg('line', { class: kind, x1: from.x, y1: from.y, x2: to.x, y2: to.y })
  }

  #middle(now: Status | null): SVGElement {
    const text = (dy: number, kind: string, words: string) =>
      svg('text', { x: CENTRE.x, y: CENTRE.y + dy, class: kind, 'text-anchor': 'middle' }, words)
    if (now === null || now.leader === null) return svg('g', {}, text(5, 'ring-label', 'no leader'))
    return svg(
      'g',
      {},
      svg('rect', { class: 'ring-middle', x: CENTRE.x - 46, y: CENTRE.y - 30, width: 92, height: 60, rx: 14 }),
      text(-10, 'ring-label', 'epoch'),
      text(18, 'ring-epoch', String(now.epoch)),
    )
  }

  #node({ replica, x, y, name, member }: Spot, now: Status | null, own: number | null): SVGElement {
    const leads = now?.leader === replica && member !== null
    const votes = now?.voters.includes(replica) ?? false
    const here = own === replica
    const kind = member === null ? 'node gone' : votes ? 'node voter' : 'node observer'
    const zxid = now?.replica === replica ? now.zxid : member?.status?.zxid
    // As long as this page has heard of no member, it cannot say that one is missing.
    const missing = this.#roster.members.length > 0 ? 'gone' : 'voter'
    const role = member === null ? missing : leads ? 'leader' : votes ? 'follower' : 'observer'
    // Beside the one at the top, where links leave it downwards; below all others.
    const top = y < CENTRE.y - RADIUS * 0.9
    const label = top
      ? { x: NODE + 13, y: -2, 'text-anchor': 'start' }
      : { x: 0, y: NODE + 19, 'text-anchor': 'middle' }
    return svg(
      'g',
      { class: kind, transform: `translate(${x} ${y})`, style: name === null ? null : `--tint: ${colourOf(name)}` },
      ...(here ? [svg('circle', { class: 'own', r: NODE + 5 })] : []),
      svg('circle', { class: 'disc', r: NODE }),
      svg('text', { class: 'node-letter', y: 7, 'text-anchor': 'middle' }, this.#roster.letterOf(replica)),
      ...(leads ? [svg('path', { class: 'crown', d: CROWN, transform: `translate(0 ${-NODE - 9})` })] : []),
      svg(
        'text',
        { ...label, class: 'node-role' },
        role,
        ...(here ? [svg('tspan', { class: 'node-own' }, ' · this page')] : []),
      ),
      svg('text', { ...label, y: label.y + 15, class: 'node-zxid' }, zxid === undefined ? '' : zxid),
    )
  }

  #words(spots: readonly Spot[], now: Status | null): string {
    if (now === null) return 'The ensemble is forming.'
    const here = spots.filter(({ member }) => member !== null)
    const others = here.filter(({ replica }) => replica !== now.leader).map((one) => this.#roster.letterOf(one.replica))
    const absent = spots.filter(({ member }) => member === null).map((one) => this.#roster.letterOf(one.replica))
    const gone = here.length > 0 ? absent : []
    const leads = now.leader === null ? 'Nobody leads' : `Member ${this.#roster.letterOf(now.leader)} leads`
    const rest = others.length > 0 ? `; ${listed(others)} follow` : ''
    return `${leads} epoch ${now.epoch}${rest}${gone.length > 0 ? `; ${listed(gone)} voted and is gone` : ''}.`
  }

  /** A commit, as it travels from the leader. */
  #pulse(spots: readonly Spot[], links: readonly [number, number][], leader: number | null): void {
    if (this.#calm.matches || leader === null || document.hidden) return
    const group = this.#root.querySelector('.pulses')
    for (const [a, b] of links) {
      if (a !== leader && b !== leader) continue
      const [from, to] = [at(spots, leader), at(spots, a === leader ? b : a)]
      const dot = svg('circle', { class: 'pulse', r: 4.5 })
      group?.append(dot)
      const steps = [from, to].map(({ x, y }) => ({ transform: `translate(${x}px, ${y}px)` }))
      dot.animate(steps, { duration: 380, easing: 'ease-in-out' }).onfinish = () => dot.remove()
    }
  }
}

const at = (spots: readonly Spot[], replica: number): { readonly x: number; readonly y: number } =>
  spots.find((spot) => spot.replica === replica) ?? CENTRE

function hintOf(now: Status | null, own: number | null, members: number): string | null {
  if (now === null || members === 0) return 'Waiting for the first members to find each other…'
  if (own === null) return "Joining again: this page's replica is gone. Shown is what the others say…"
  if (now.leader === null) return 'Waiting for a leader: the members are electing one…'
  if (members === 1) return 'Waiting for others to join this page…'
  return members === 2 ? 'Two members need each other. Add a third, and any one may die.' : null
}
