// The library's public face, and its only barrel.
export { type ErrorCode, KeeperError, type KeeperErrorDetails, type Outcome } from './base/errors.ts'
export type { EnsembleId, ReplicaId, SessionId } from './base/ids.ts'
export { formatZxid, type Zxid } from './base/zxid.ts'
export type {
  Acl,
  CallOptions,
  ClientState,
  CreateMode,
  CreateOptions,
  Data,
  Op,
  OpResult,
  Permission,
  ReadOp,
  ReadOpResult,
  ReadOptions,
  Stat,
  StateChange,
  VersionOptions,
  WatchEvent,
  WatchEventType,
  WatchNotice,
  ZnodeClient,
} from './client/api.ts'
export { type KeyPair, keyId } from './client/key-auth.ts'
export type { IceServers, Inspection, KeeperBase, KeeperEvents, KeeperOpenOptions } from './keeper/api.ts'
export type { KeeperEvent } from './keeper/events.ts'
export { Keeper } from './keeper/keeper.ts'
export type { Attendance, Barrier, DoubleBarrier } from './recipes/barrier.ts'
export type { Cache, CachedNode, CacheEvent } from './recipes/cache.ts'
export type { Cell, SetOptions, Versioned } from './recipes/cell.ts'
export type { Counter, IdGenerator } from './recipes/counter.ts'
export type { WaitOptions } from './recipes/deadline.ts'
export type { Election, Leader, Leadership, LeadOptions } from './recipes/election.ts'
export { type FencingToken, type Hold, LockLostError, type LossCause, type LossPolicy } from './recipes/hold.ts'
export type { HoldSet } from './recipes/hold-set.ts'
export type { CountdownLatch } from './recipes/latch.ts'
export type { Lease, Leases } from './recipes/lease.ts'
export type { AcquireOptions, LockInfo, LockOptions, Locks, RevokeOptions } from './recipes/locks.ts'
export type { Group, Member, Membership } from './recipes/membership.ts'
export type { Partition, PartitionOptions, Share } from './recipes/partition.ts'
export type { LockMode } from './recipes/place.ts'
export type { PlainQueue, QueueItem } from './recipes/plain-queue.ts'
export type { Presence } from './recipes/presence.ts'
export type { PermitOptions, Semaphore } from './recipes/semaphore.ts'
export type { ProviderOptions, ServiceInstance, ServiceProvider, Services, Strategy } from './recipes/services.ts'
export { BroadcastChannelSignaling } from './signaling/broadcast-channel.ts'
export type { Candidate, Envelope, Knock, Negotiation, SealedSignal, Signal } from './signaling/signal.ts'
export type { Signaling } from './signaling/signaling.ts'
export type { QueueStats } from './tasks/dispatcher-state.ts'
export type { Labels } from './tasks/names.ts'
export type { DeadLetter } from './tasks/queue-admin.ts'
export type { GroupLimits, QueueConfig, Rate } from './tasks/queue-config.ts'
export type { QueueEventFor, QueueEventTarget } from './tasks/queue-event-target.ts'
export type { QueueEvent } from './tasks/queue-events.ts'
export type { RetryOptions } from './tasks/retry-policy.ts'
export type { MissedTimes, ScheduleTimes } from './tasks/schedule.ts'
export type { ScheduleInfo } from './tasks/schedules.ts'
export type { SchemaIssue, SchemaResult, StandardSchema, TaskSchemas } from './tasks/schemas.ts'
export { serveTasks } from './tasks/serve-tasks.ts'
export {
  NonRetryable,
  QueueFullError,
  type RunEnd,
  RunEndedError,
  TaskCancelledError,
  TaskError,
  TaskFailedError,
} from './tasks/task-error.ts'
export type { TaskQueue, TaskQueueOptions } from './tasks/task-queue.ts'
export type { OnDepFail, TaskFailure } from './tasks/task-record.ts'
export type {
  AddOptions,
  DedupOptions,
  Handler,
  Handlers,
  TaskContext,
  TaskHandle,
  TaskItem,
  TaskMap,
  TaskReport,
  TaskState,
  TaskType,
  WorkerOptions,
} from './tasks/task-types.ts'
export type { CloseOptions, TaskWorker } from './tasks/task-worker.ts'
export type { HandlerModule } from './tasks/worker-pool.ts'
