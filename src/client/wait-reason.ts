/** Why a run waits, as reported to people and programs. */
/** Why a run is not running: one sentence, and its parts. */
export interface WaitReason {
  readonly kind:
    | 'limit'
    | 'task-limit'
    | 'rate'
    | 'paused'
    | 'overlap'
    | 'no-worker'
    /** It is pinned to a version of its flow that no live worker has. */
    | 'pinned'
    | 'workers-busy'
    | 'behind'
    | 'turn'
    | 'backoff'
    | 'scheduled'
    | 'signal'
    | 'sleeping'
    | 'owner-lost'
    | 'starting';
  /** For people, e.g. `Waits for limit tag:db (2 of 2 taken, by quick-otter and calm-heron).` */
  readonly message: string;
  /** When it ends by itself, null if unknown. */
  readonly untilAt: number | null;
  /** Runs that hold what it waits for. */
  readonly holders: readonly string[];
}
