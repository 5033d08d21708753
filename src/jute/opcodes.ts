/** Request types of ZooKeeper 3.8 (ZooDefs.OpCode). */
export const OPCODES = {
  create: 1,
  delete: 2,
  exists: 3,
  getData: 4,
  setData: 5,
  getACL: 6,
  setACL: 7,
  getChildren: 8,
  sync: 9,
  ping: 11,
  getChildren2: 12,
  check: 13,
  multi: 14,
  create2: 15,
  reconfig: 16,
  checkWatches: 17,
  removeWatches: 18,
  createContainer: 19,
  deleteContainer: 20,
  createTTL: 21,
  multiRead: 22,
  auth: 100,
  setWatches: 101,
  getEphemerals: 103,
  getAllChildrenNumber: 104,
  setWatches2: 105,
  addWatch: 106,
  whoAmI: 107,
  createSession: -10,
  closeSession: -11,
  error: -1,
  /** Not ZooKeeper's: only over a connection that negotiated additions. */
  acknowledge: 1001,
  resumeWatches: 1002,
} as const

/** Transaction ids that no numbered request uses (ClientCnxn). */
export const XIDS = { watchEvent: -1, ping: -2, auth: -4, setWatches: -8, acknowledge: -16 } as const

/** Watcher.Event.EventType. */
export const EVENT_TYPES = {
  None: -1,
  NodeCreated: 1,
  NodeDeleted: 2,
  NodeDataChanged: 3,
  NodeChildrenChanged: 4,
  DataWatchRemoved: 5,
  ChildWatchRemoved: 6,
  PersistentWatchRemoved: 7,
} as const
export type EventTypeName = keyof typeof EVENT_TYPES

/** Watcher.Event.KeeperState: what a watch event's `state` says; a change always comes as `SyncConnected`. */
export const KEEPER_STATES = {
  Disconnected: 0,
  SyncConnected: 3,
  AuthFailed: 4,
  ConnectedReadOnly: 5,
  Expired: -112,
  Closed: 7,
} as const

/** CreateMode's flag. */
export const CREATE_FLAGS = {
  persistent: 0,
  ephemeral: 1,
  persistentSequential: 2,
  ephemeralSequential: 3,
  container: 4,
  persistentWithTtl: 5,
  persistentSequentialWithTtl: 6,
} as const

/** ZooDefs.Perms. */
export const PERMISSIONS = { read: 1, write: 2, create: 4, delete: 8, admin: 16, all: 31 } as const

/** ZooDefs.AddWatchModes. */
export const ADD_WATCH_MODES = { persistent: 0, persistentRecursive: 1 } as const

/** Watcher.WatcherType, of removeWatches and checkWatches. */
export const WATCHER_TYPES = { children: 1, data: 2, any: 3 } as const
