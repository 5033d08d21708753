import { GossipChannel } from './gossip.ts'
import { Seat } from './seat.ts'

/** What a frame tells the page around it. */
export interface FrameWord {
  readonly kind: 'member'
  readonly replica: number
}

/** A frame: one member and nothing to see. */
export function runMember(): void {
  const seat = new Seat('frame', new GossipChannel(), {
    opened: ({ replica }) => parent.postMessage({ kind: 'member', replica } satisfies FrameWord, location.origin),
  })
  void seat.run()
}
