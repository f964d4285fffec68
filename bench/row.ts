/** Whom we are measured beside. */
export const peerNames = ['sdk-v1', 'sdk-v2', 'mcp-remote'] as const
export type Peer = (typeof peerNames)[number]

/** One line of the bench, as `--json` prints it. Smaller is always better, and a target is the most that a figure may be. */
export interface Row {
  readonly name: string
  readonly unit: string
  readonly ours: number | null
  /** null where a peer has no such figure. */
  readonly peers: Readonly<Record<Peer, number | null>>
  readonly target: number | null
  /** null without a target. */
  readonly met: boolean | null
}

/** Times depend on the machine and on who else is using it: `--check` leaves them out. */
export type Kind = 'count' | 'size' | 'time'

/** What is known of a row before it is measured. */
export interface Spec {
  readonly name: string
  readonly kind: Kind
  readonly unit: string
  readonly target?: number
}

/** What was measured for a row. */
export interface Values {
  readonly ours: number | null
  readonly peers?: Readonly<Partial<Record<Peer, number | undefined>>>
  /** What two benches in a row came to, where the figure is a median. */
  readonly benches?: readonly [number, number]
  /** What a number alone does not say. */
  readonly note?: string
}

/** Rows that are measured together. */
export interface Group<Key extends string = string> {
  /** For the one who waits. */
  readonly title: string
  readonly rows: Readonly<Record<Key, Spec>>
  /** Measures at least what is asked for. */
  measure(asked: Asked<Key>): Promise<Readonly<Partial<Record<Key, Values>>>>
}

/** What a bench wants of a group. */
export interface Asked<Key extends string = string> {
  readonly rows: ReadonlySet<Key>
  /** Whether the peers' figures are wanted too, where they take time. */
  readonly peers: boolean
}

/** Spec and values together. */
export interface Figure extends Row, Pick<Values, 'benches' | 'note'> {
  readonly kind: Kind
}

export function figure({ name, unit, kind, target }: Spec, { ours, peers = {}, benches, note }: Values): Figure {
  return {
    name,
    unit,
    ours,
    peers: Object.fromEntries(peerNames.map((peer) => [peer, peers[peer] ?? null])) as Row['peers'],
    target: target ?? null,
    met: target === undefined || ours === null ? null : ours <= target,
    kind,
    ...(benches !== undefined && { benches }),
    ...(note !== undefined && { note }),
  }
}

/** The row without what only the table shows. */
export const row = ({ name, unit, ours, peers, target, met }: Figure): Row => ({ name, unit, ours, peers, target, met })
