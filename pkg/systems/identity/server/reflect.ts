/**
 * The library that reads signing requests brings a container that asks for the metadata of decorators at its import, and
 * finds none to use. What it asks is answered with "none", in the threads that load it.
 */
const none = (): undefined => undefined
for (const name of ['getMetadata', 'getOwnMetadata', 'hasOwnMetadata', 'defineMetadata'])
  if (!Reflect.has(Reflect, name)) Object.defineProperty(Reflect, name, { value: none, configurable: true })
