import type { components } from './schema'

/** Wire holds the types of the API's description, generated from docs/openapi.json by `npm run generate`. */
export type Wire = components['schemas']
