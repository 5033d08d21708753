/**
 * Which build this is. A page and its worker that were not built together refuse each other, and a peer's hello shows it. The
 * same as in package.json.
 */
export const BUILD = 'tabkeeper 0.1.0'
