// For `await using` where the platform lacks the symbol: compilers look for exactly this one.
if (Symbol.asyncDispose === undefined)
  Object.defineProperty(Symbol, 'asyncDispose', { value: Symbol.for('Symbol.asyncDispose') })
