import { mcp } from './mcp.js'
import { mcpDiscovery } from './mcp-discovery.js'
import { mcp20250326, mcp20250618, mcp20251125 } from './mcp-earlier.js'
import { mcpPractices } from './mcp-practices.js'
import { mcpRegistration } from './mcp-registration.js'
import { mcpSecurity } from './mcp-security.js'
import type { Requirement, Specification } from './requirement.js'
import { rfc8414, rfc9207, rfc9728 } from './rfc-discovery.js'
import { rfc7523, rfc8628, rfc8693, rfc9449 } from './rfc-extensions.js'
import { rfc7591, rfc7636, rfc8252, rfc8707 } from './rfc-login.js'
import { rfc6749, rfc6750, rfc7009 } from './rfc-oauth.js'

/** Every document, by the first part of the ids of its rows. */
export const specifications = {
  mcp,
  'mcp-discovery': mcpDiscovery,
  'mcp-registration': mcpRegistration,
  'mcp-security': mcpSecurity,
  'mcp-practices': mcpPractices,
  'mcp-2025-11-25': mcp20251125,
  'mcp-2025-06-18': mcp20250618,
  'mcp-2025-03-26': mcp20250326,
  rfc6749,
  rfc6750,
  rfc7009,
  rfc7523,
  rfc7591,
  rfc7636,
  rfc8252,
  rfc8414,
  rfc8628,
  rfc8693,
  rfc8707,
  rfc9207,
  rfc9449,
  rfc9728,
} as const satisfies Readonly<Record<string, Specification>>

type Specifications = typeof specifications

/** What a test cites: the document and the row, as in `rfc9207/compared`. */
export type RequirementId = {
  [Name in keyof Specifications]: `${Name}/${keyof Specifications[Name]['requirements'] & string}`
}[keyof Specifications]

/** Every row, by its id. */
export const requirements: ReadonlyMap<string, Requirement> = new Map(
  Object.entries<Specification>(specifications).flatMap(([name, { requirements: rows }]) =>
    Object.entries(rows).map(([key, row]): [string, Requirement] => [`${name}/${key}`, row]),
  ),
)
