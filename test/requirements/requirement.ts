/** What a document asks, in its own key words (RFC 2119). */
export type Level = 'MUST' | 'SHOULD' | 'MAY'

/** One thing that a specification asks of a client, in our words. */
export interface Requirement {
  readonly level: Level
  /** Where the document says it: the fragment of a page, or the number of a section. */
  readonly at: string
  /** What a client that keeps it does. */
  readonly says: string
  /** Why it is not kept, or not always. */
  readonly declined?: string
}

export interface Specification {
  readonly title: string
  readonly url: string
  readonly requirements: Readonly<Record<string, Requirement>>
}

/** The URL of the place in its document. */
export const sourceOf = ({ url }: Specification, { at }: Requirement): string =>
  `${url}#${/^\d/.test(at) ? `section-${at}` : at}`
