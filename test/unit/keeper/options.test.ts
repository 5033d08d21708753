import { describe, expect, it } from 'vitest'
import { KeeperError } from '../../../src/base/errors.ts'
import type { KeeperOpenOptions } from '../../../src/keeper/api.ts'
import { checkOpenOptions, checkVoters } from '../../../src/keeper/options.ts'
import { BroadcastChannelSignaling } from '../../../src/signaling/broadcast-channel.ts'
import type { Signaling } from '../../../src/signaling/signaling.ts'

const refusal = (options: unknown): string => {
  try {
    checkOpenOptions(options as KeeperOpenOptions)
  } catch (error) {
    if (error instanceof KeeperError) return `${error.code} ${error.path}`
  }
  return 'taken'
}

const ownSignaling: Signaling = { join: async () => {}, send: () => {}, leave: () => {} }

describe('the options of Keeper.open', () => {
  it('have defaults', () => {
    expect(checkOpenOptions({ ensemble: 'e' })).toEqual({
      ensemble: 'e',
      sessionTimeout: 10_000,
      voters: 3,
      create: 'auto',
      handoverAfterHidden: 10_000,
    })
  })

  it.each([
    [undefined, 'options'],
    ['e', 'options'],
    [{}, 'ensemble'],
    [{ ensemble: '' }, 'ensemble'],
    [{ ensemble: 7 }, 'ensemble'],
    [{ ensemble: 'x'.repeat(129) }, 'ensemble'],
    [{ ensemble: 'e', sessionTimeout: 1999 }, 'sessionTimeout'],
    [{ ensemble: 'e', sessionTimeout: 86_400_001 }, 'sessionTimeout'],
    [{ ensemble: 'e', sessionTimeout: 2000.5 }, 'sessionTimeout'],
    [{ ensemble: 'e', sessionTimeout: '10000' }, 'sessionTimeout'],
    [{ ensemble: 'e', voters: 2 }, 'voters'],
    [{ ensemble: 'e', handoverAfterHidden: -1 }, 'handoverAfterHidden'],
    [{ ensemble: 'e', handoverAfterHidden: Number.POSITIVE_INFINITY }, 'handoverAfterHidden'],
    [{ ensemble: 'e', create: 'maybe' }, 'create'],
    [{ ensemble: 'e', signal: {} }, 'signal'],
    [{ ensemble: 'e', worker: 'worker.js' }, 'worker'],
    [{ ensemble: 'e', onNotice: 1 }, 'onNotice'],
    [{ ensemble: 'e', server: 'zookeeper:2181' }, 'server'],
    [{ ensemble: 'e', server: 'https://example.org' }, 'server'],
    [{ ensemble: 'e', signaling: [], secret: 'x' }, 'signaling'],
    [{ ensemble: 'e', signaling: ['https://example.org'], secret: 'x' }, 'signaling'],
    [{ ensemble: 'e', signaling: 'wss://example.org', secret: 'x' }, 'signaling'],
    [{ ensemble: 'e', signaling: {}, secret: 'x' }, 'signaling'],
    [{ ensemble: 'e', signaling: { join: () => undefined }, secret: null }, 'signaling'],
    [{ ensemble: 'e', signaling: { join: () => undefined, send: () => undefined }, secret: null }, 'signaling'],
    [{ ensemble: '\ud800' }, 'ensemble'],
    [{ ensemble: 'e', signaling: ['wss://example.org'] }, 'secret'],
    [{ ensemble: 'e', signaling: ownSignaling }, 'secret'],
    [{ ensemble: 'e', secret: '' }, 'secret'],
    [{ ensemble: 'e', secret: new Uint8Array(15) }, 'secret'],
    [{ ensemble: 'e', iceServers: 'stun:example.org' }, 'iceServers'],
    [{ ensemble: 'e', iceTransportPolicy: 'none' }, 'iceTransportPolicy'],
  ])('%o is refused by the name of %s', (options, path) => {
    expect(refusal(options)).toBe(`BadArguments ${path}`)
  })

  it('are taken at their limits', () => {
    expect(refusal({ ensemble: 'x'.repeat(128), sessionTimeout: 2000, voters: 1, create: 'never' })).toBe('taken')
    expect(refusal({ ensemble: 'ü', sessionTimeout: 86_400_000, voters: 5, create: 'always' })).toBe('taken')
    expect(refusal({ ensemble: 'e', signaling: ['wss://example.org/a?b'], secret: null })).toBe('taken')
    expect(refusal({ ensemble: 'e', signaling: new BroadcastChannelSignaling() })).toBe('taken')
    expect(refusal({ ensemble: 'e', secret: new Uint8Array(16), iceServers: async () => [] })).toBe('taken')
  })
})

describe('voters chosen by hand', () => {
  const said = (voters: unknown): string => {
    try {
      checkVoters(voters)
    } catch (error) {
      if (error instanceof KeeperError) return `${error.code} ${error.path}`
    }
    return 'taken'
  }
  const so = (many: number): number[] => Array.from({ length: many }, (_, i) => i + 1)

  it.each([[so(1)], [so(3)], [so(5)], [so(15)]])('can be %j', (voters) => {
    expect(said(voters)).toBe('taken')
  })

  it.each([[[]], [so(2)], [so(17)], [[1, 1, 2]], [[1, 2, 0]], [[1, 2, 1.5]], [['1']], ['1'], [null], [undefined], [7]])(
    'cannot be %j',
    (voters) => {
      expect(said(voters)).toBe('BadArguments voters')
    },
  )
})
