/** Every bound of the library, with its reason. Times are milliseconds, sizes bytes. */
export const LIMITS = {
  /** ZooKeeper's jute.maxbuffer: the serialised body of one client packet. */
  packetBytesMax: 0xfffff,
  /** One frame on a data channel: 16 KiB is what every implementation carries and what does not block a heartbeat. */
  frameBytesMax: 16 * 1024,
  /** One reassembled message from a peer: a batch of proposals (see below) with room for its headers. */
  messageBytesMax: 8 * 1024 * 1024,
  /** A batch of proposals is closed at this size, so that it always fits a message. */
  batchBytesMax: 2 * 1024 * 1024,
  /** Frames waiting for one link; a peer that reads slower than this for so long is cut off, never waited for. */
  linkQueueBytesMax: 64 * 1024 * 1024,
  /** Above this a sender waits for `bufferedamountlow` (Chromium's own queue ends at 16 MiB). */
  linkBufferedBytesMax: 1024 * 1024,
  /** Proposals that a leader has in flight; more wait in its request queue. */
  proposalsInFlightMax: 4096,
  /** Log entries kept in memory behind the last delivered one, for DIFF. An older learner gets a SNAP. */
  historyEntriesMax: 20_000,
  /** Observers that a leader, or a follower, takes below itself; a leader takes more only if nobody else would. */
  observersMax: 8,
  /** Of a configuration: more would only make each write wait for more disks. */
  votersMax: 15,
  /** One chunk of a snapshot, on the wire and in storage. */
  snapshotChunkBytes: 256 * 1024,
  /** An accepted epoch this far above the known one is refused: one forged number must not use up all epochs. */
  epochJumpMax: 2 ** 16,
  /** Znode path, UTF-16 units: far above any sane path, far below what makes a packet. */
  pathLengthMax: 64 * 1024,
  /** What a session's remembered replies may weigh together (see jute/numbers): a client has no more than this unanswered on its way. */
  repliesBytesMax: 512 * 1024,
  /** Changes that a replica remembers, so that watches of a client that comes back can go on where it left. */
  changesKeptMax: 40_000,
  /** Connections of pages without a replica that one member serves: a browser has room for some hundreds, and members come first. */
  clientLinksMax: 64,
  /** Bytes that wait for one such page; one that does not read its answers is cut off. A whole batch fits twice. */
  clientQueueBytesMax: 16 * 1024 * 1024,
  /** Requests of one connection over TCP that wait for their answers (ZooKeeper's globalOutstandingLimit), and their bytes; no more is read meanwhile. */
  requestsOutstandingMax: 1000,
  requestsOutstandingBytesMax: 16 * 1024 * 1024,
  /** Connections that one replica serves; and sessions that began there for pages elsewhere and are not over, connected or not. */
  sessionsPerReplicaMax: 10_000,
  /** Sessions of an ensemble (some 30 MB on each replica): a member gone mad that asks for more gets none, nor does anybody else until some end. */
  sessionsMax: 100_000,
} as const

/** Default times, milliseconds. */
export const TIMES = {
  /** The worker's tick: everything timed happens at a tick. */
  tick: 50,
  heartbeat: 250,
  /** Silence that counts as death. */
  silence: 1500,
  /** How long a would-be leader, or a learner, may take for discovery and synchronization without progress. */
  establish: 5000,
  /** After a quorum has agreed, how long an election waits for a better vote. */
  finalizeVote: 60,
  /** First pause before an unanswered vote is sent again; doubles to `revoteMax`. */
  revote: 200,
  revoteMax: 2000,
  /** An observer this long level with the leader may become a voter. */
  steady: 1000,
  /** A voter that left by pagehide may come back this long without losing its vote. */
  reloadGrace: 2000,
  /** A voter this long silent loses its vote. */
  evictAfter: 30_000,
  /** A leader whose page has been hidden for this long gives way to a voter whose page is seen. */
  handoverAfterHidden: 10_000,
  /** Without a quorum for this long, a tab takes up the votes of its browser's dead tabs. */
  adoptAfter: 2000,
  /** A page that hears no member for this long asks whether it may found. */
  foundWait: 3000,
  /** A gap in the worker's monotonic clock this long is a freeze: the role ends before the inbox is read. */
  clockGap: 1200,
  /** How often the leader looks for containers and TTL nodes that have outlived their use (ZooKeeper: znode.container.checkIntervalMs). */
  reap: 60_000,
  sessionTimeout: 10_000,
  sessionTimeoutMin: 2000,
  sessionTimeoutMax: 24 * 3600 * 1000,
} as const
