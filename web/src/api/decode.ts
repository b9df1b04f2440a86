// Reading what the server sent: snake_case JSON becomes camelCase values here and nowhere else, and an answer that
// is not what the contract says is an error with its place, never `undefined` on a page.

/** ContractError says where an answer differs from the contract: "tree.nodes[3].unit: not text". */
export class ContractError extends Error {
  constructor(place: string, problem: string) {
    super(`${place}: ${problem}`)
    this.name = 'ContractError'
  }
}

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

type Element<L> = NonNullable<L> extends readonly (infer E)[] ? NonNullable<E> : Record<string, unknown>

/**
 * Fields reads one JSON object; `place` is used in errors. W is its type in the API's description (schema.d.ts): a key that the API
 * does not have is a mistake at compile time, and what does not keep to the description is an error at run time.
 */
export class Fields<W = Record<string, unknown>> {
  private readonly raw: Record<string, unknown>

  constructor(value: unknown, readonly place: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new ContractError(place, 'not an object')
    this.raw = value as Record<string, unknown> // checked above
  }

  has(key: keyof W & string): boolean {
    return this.raw[key] !== undefined && this.raw[key] !== null
  }

  /** json gives a value as it is: for data whose keys are the workspace's own words (fields, predicates). */
  json(key: keyof W & string): Json {
    return (this.raw[key] ?? null) as Json // came out of JSON.parse
  }

  text(key: keyof W & string): string {
    const value = this.raw[key]
    if (typeof value !== 'string') throw this.wrong(key, 'not text')
    return value
  }

  /** textOr gives text, or the fallback where the key is missing, null or empty. */
  textOr<T>(key: keyof W & string, fallback: T): string | T {
    const value = this.raw[key]
    if (value === undefined || value === null || value === '') return fallback
    return this.text(key)
  }

  /** id gives a name or number that only stands for something, as text. */
  id(key: keyof W & string): string {
    const value = this.raw[key]
    return typeof value === 'number' ? String(value) : this.text(key)
  }

  number(key: keyof W & string): number {
    const value = this.raw[key]
    if (typeof value !== 'number' || !Number.isFinite(value)) throw this.wrong(key, 'not a number')
    return value
  }

  numberOr<T>(key: keyof W & string, fallback: T): number | T {
    return this.has(key) ? this.number(key) : fallback
  }

  flag(key: keyof W & string): boolean {
    const value = this.raw[key]
    if (value === undefined || value === null) return false
    if (typeof value !== 'boolean') throw this.wrong(key, 'not true or false')
    return value
  }

  oneOf<T extends string>(key: keyof W & string, allowed: readonly T[]): T {
    const value = this.text(key)
    const found = allowed.find((each) => each === value)
    if (found === undefined) throw this.wrong(key, `${JSON.stringify(value)} is none of ${allowed.join(', ')}`)
    return found
  }

  object<K extends keyof W & string, T>(key: K, read: (fields: Fields<NonNullable<W[K]>>) => T): T {
    return read(new Fields<NonNullable<W[K]>>(this.raw[key], this.at(key)))
  }

  objectOr<K extends keyof W & string, T, F>(key: K, read: (fields: Fields<NonNullable<W[K]>>) => T, fallback: F): T | F {
    return this.has(key) ? this.object(key, read) : fallback
  }

  /** list reads an array of objects; a missing or null array is empty. */
  list<K extends keyof W & string, T>(key: K, read: (fields: Fields<Element<W[K]>>) => T): T[] {
    return this.array(key).map((value, i) => read(new Fields<Element<W[K]>>(value, `${this.at(key)}[${i}]`)))
  }

  texts(key: keyof W & string): string[] {
    return this.array(key).map((value, i) => {
      if (typeof value !== 'string') throw new ContractError(`${this.at(key)}[${i}]`, 'not text')
      return value
    })
  }

  private array(key: string): unknown[] {
    const value = this.raw[key] ?? []
    if (!Array.isArray(value)) throw this.wrong(key, 'not a list')
    return value
  }

  private at(key: string): string {
    return `${this.place}.${key}`
  }

  private wrong(key: string, problem: string): ContractError {
    return new ContractError(this.at(key), problem)
  }
}

/** textMap keeps the text values of a JSON object: {"account": "Alder & Pine"}. */
export function textMap(value: Json): Record<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {}
  const out: Record<string, string> = {}
  for (const [key, each] of Object.entries(value)) if (typeof each === 'string') out[key] = each
  return out
}
