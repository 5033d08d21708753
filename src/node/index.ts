export type { Address } from './address.ts'
export { Gateway, type GatewayOptions } from './gateway.ts'
export { type ProxyOptions, WebSocketProxy } from './proxy.ts'
export { connectTcp } from './tcp-pipe.ts'
