"""Every recipe that kazoo brings, with several clients on one server. Prints `ok NAME` or `failed NAME: why` for each."""

import sys
import threading
import time
import traceback

from kazoo.client import KazooClient, KazooState
from kazoo.exceptions import (
    BadVersionError,
    InvalidACLError,
    LockTimeout,
    NoAuthError,
    NodeExistsError,
    NoNodeError,
    NotEmptyError,
)
from kazoo.security import CREATOR_ALL_ACL, make_digest_acl

HOSTS = sys.argv[1]
clients = []
failures = 0


def client(**more):
    made = KazooClient(hosts=HOSTS, timeout=10.0, **more)
    made.start(timeout=15)
    clients.append(made)
    return made


def until(what, condition, seconds=10.0):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("never: " + what)
        time.sleep(0.01)


def raises(kind, call, *args, **named):
    try:
        call(*args, **named)
    except kind:
        return
    raise AssertionError("no " + kind.__name__)


def together(*calls):
    """Runs them at the same time; raises what the first of them raised."""
    errors = []

    def run(call):
        try:
            call()
        except Exception:
            errors.append(traceback.format_exc())

    threads = [threading.Thread(target=run, args=(call,), daemon=True) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        if thread.is_alive():
            errors.append("a thread hangs")
    if errors:
        raise AssertionError(errors[0])


def znodes(a, b):
    assert a.create("/z", b"1") == "/z"
    raises(NodeExistsError, a.create, "/z")
    assert b.get("/z")[0] == b"1"
    stat = b.set("/z", b"22")
    assert (stat.version, stat.data_length) == (1, 2)
    raises(BadVersionError, a.set, "/z", b"3", version=7)
    path, stat = a.create("/z/deep/er", b"x", makepath=True, include_data=True)
    assert (path, stat.version) == ("/z/deep/er", 0)
    raises(NotEmptyError, a.delete, "/z")
    assert a.create("/z/s-", sequence=True) == "/z/s-0000000001"
    assert sorted(b.get_children("/z")) == ["deep", "s-0000000001"]
    children, stat = b.get_children("/z", include_data=True)
    assert stat.children_count == 2
    a.create("/z/e", ephemeral=True)
    assert b.exists("/z/e").ephemeralOwner == a.client_id[0]
    assert b.sync("/z") == "/z"
    a.delete("/z", recursive=True)
    raises(NoNodeError, b.get, "/z")


def acls(a, b):
    acl = [make_digest_acl("me", "secret", all=True)]
    a.create("/mine", b"m", acl=acl)
    raises(NoAuthError, b.get, "/mine")
    b.add_auth("digest", "me:secret")
    assert b.get("/mine")[0] == b"m"
    got, _ = b.get_acls("/mine")
    assert got == acl
    stat = b.set_acls("/mine", [make_digest_acl("me", "secret", read=True)])
    assert stat.aversion == 1
    raises(NoAuthError, b.set, "/mine", b"no")
    raises(InvalidACLError, a.create, "/own", b"", acl=CREATOR_ALL_ACL)
    b.create("/own", b"", acl=CREATOR_ALL_ACL)
    assert b.get_acls("/own")[0] == acl


def one_shot_watches(a, b):
    seen = []
    assert a.exists("/w", watch=lambda e: seen.append(("exists", e.type))) is None
    b.create("/w")
    until("created", lambda: ("exists", "CREATED") in seen)
    a.get("/w", watch=lambda e: seen.append(("get", e.type)))
    a.get_children("/w", watch=lambda e: seen.append(("children", e.type)))
    b.set("/w", b"x")
    b.create("/w/c")
    until("changed", lambda: ("get", "CHANGED") in seen and ("children", "CHILD") in seen)
    b.set("/w", b"y")
    a.sync("/w")
    assert len(seen) == 3, seen


def lock(a, b):
    locks = [c.Lock("/lock", name) for c, name in ((a, "a"), (b, "b"), (a, "a2"), (b, "b2"))]
    inside, most, turns = [], [0], []

    def work(one):
        for _ in range(10):
            with one:
                inside.append(1)
                most[0] = max(most[0], len(inside))
                turns.append(1)
                inside.pop()

    together(*[lambda one=one: work(one) for one in locks])
    assert (most[0], len(turns)) == (1, 40)
    with locks[0]:
        assert locks[1].acquire(blocking=False) is False
        raises(LockTimeout, locks[1].acquire, timeout=0.2)
        assert locks[1].contenders() == ["a"]


def read_write_lock(a, b):
    readers = [a.ReadLock("/rw", "r1"), b.ReadLock("/rw", "r2")]
    writer = b.WriteLock("/rw", "w")
    for reader in readers:
        assert reader.acquire(timeout=5)
    assert writer.acquire(blocking=False) is False
    for reader in readers:
        reader.release()
    assert writer.acquire(timeout=5)
    assert readers[0].acquire(blocking=False) is False
    writer.release()


def semaphore(a, b):
    two = [c.Semaphore("/sem", str(i), max_leases=2) for i, c in enumerate((a, b, a))]
    assert two[0].acquire() and two[1].acquire()
    assert two[2].acquire(blocking=False) is False
    waiting = threading.Thread(target=two[2].acquire, daemon=True)
    waiting.start()
    assert sorted(two[0].lease_holders()) == ["0", "1"]
    two[0].release()
    waiting.join(5)
    assert not waiting.is_alive()
    for one in two[1:]:
        one.release()


def election(a, b):
    led = []
    elections = [c.Election("/elect", name) for c, name in ((a, "a"), (b, "b"))]
    together(*[lambda e=e, i=i: e.run(lambda: led.append(i)) for i, e in enumerate(elections)])
    assert sorted(led) == [0, 1]


def queue(a, b):
    one, other = a.Queue("/queue"), b.Queue("/queue")
    for i in range(20):
        one.put(b"%d" % i, priority=50 if i % 2 else 100)
    assert len(other) == 20
    got = []
    together(*[lambda q=q: got.extend(q.get() for _ in range(10)) for q in (one, other)])
    assert sorted(int(each) for each in got) == list(range(20))
    assert other.get() is None


def locking_queue(a, b):
    one, other = a.LockingQueue("/lq"), b.LockingQueue("/lq")
    one.put_all([b"1", b"2"])
    assert one.get() == b"1" and one.holds_lock()
    assert other.get() == b"2"
    assert one.get(timeout=1) == b"1"
    assert one.consume() and other.consume()
    assert one.get(timeout=0.2) is None
    assert len(other) == 0


def party(a, b):
    parties = [a.Party("/party", "a"), b.Party("/party", "b")]
    for one in parties:
        one.join()
    assert sorted(parties[0]) == ["a", "b"] and len(parties[1]) == 2
    parties[0].leave()
    assert list(parties[1]) == ["b"]
    shallow = a.ShallowParty("/shallow", "s")
    shallow.join()
    assert list(b.ShallowParty("/shallow", "t")) == ["s"]


def barrier(a, b):
    one = a.Barrier("/barrier")
    one.create()
    assert b.Barrier("/barrier").wait(0.2) is False
    together(lambda: until_true(b.Barrier("/barrier").wait(10)), lambda: (time.sleep(0.1), one.remove()))


def until_true(value):
    assert value


def double_barrier(a, b):
    barriers = [c.DoubleBarrier("/double", 3, str(i)) for i, c in enumerate((a, b, a))]
    entered = []

    def work(one):
        one.enter()
        entered.append(1)
        one.leave()

    together(*[lambda one=one: work(one) for one in barriers])
    assert len(entered) == 3


def counter(a, b):
    counters = [a.Counter("/counter"), b.Counter("/counter")]

    def work(one, by):
        for _ in range(25):
            one += by

    together(lambda: work(counters[0], 2), lambda: work(counters[1], -1))
    assert counters[0].value == 25


def data_watch(a, b):
    seen = []
    a.DataWatch("/dw", lambda data, stat: seen.append(data))
    b.create("/dw", b"0")
    for i in range(1, 4):
        until("seen %d" % (i - 1), lambda: b"%d" % (i - 1) in seen)
        b.set("/dw", b"%d" % i)
    until("seen 3", lambda: b"3" in seen)
    b.delete("/dw")
    until("gone", lambda: seen[-1] is None)


def children_watch(a, b):
    a.ensure_path("/cw")
    seen = []
    a.ChildrenWatch("/cw", lambda children: seen.append(sorted(children)))
    b.create("/cw/x")
    until("x", lambda: ["x"] in seen)
    b.create("/cw/y")
    until("y", lambda: ["x", "y"] in seen)
    b.delete("/cw/x")
    until("without x", lambda: seen[-1] == ["y"])


def tree_cache(a, b):
    from kazoo.recipe.cache import TreeCache, TreeEvent

    a.ensure_path("/tree")
    cache, kinds = TreeCache(a, "/tree"), []
    cache.listen(lambda event: kinds.append(event.event_type))
    cache.start()
    until("initialized", lambda: TreeEvent.INITIALIZED in kinds)
    b.create("/tree/a/b", b"1", makepath=True)
    until("cached", lambda: cache.get_data("/tree/a/b") is not None)
    b.delete("/tree/a/b")
    until("forgotten", lambda: cache.get_data("/tree/a/b") is None)
    cache.close()


def partitioner(a, b):
    parts = [c.SetPartitioner("/parts", set=("1", "2", "3", "4"), identifier=name, time_boundary=0.5) for c, name in ((a, "a"), (b, "b"))]

    def work(one):
        end = time.monotonic() + 15
        while time.monotonic() < end:
            if one.release:
                one.release_set()
            elif one.acquired and len(list(one)) == 2:
                return
            elif one.allocating:
                one.wait_for_acquire(1)
        raise AssertionError("no share")

    together(*[lambda one=one: work(one) for one in parts])
    assert sorted(list(parts[0]) + list(parts[1])) == ["1", "2", "3", "4"]
    for one in parts:
        one.finish()


def transactions(a, b):
    transaction = a.transaction()
    transaction.create("/t", b"1")
    transaction.create("/t/c")
    transaction.set_data("/t", b"2")
    transaction.check("/t", 1)
    results = transaction.commit()
    assert results[0] == "/t" and results[2].version == 1 and results[3] is True, results
    transaction = b.transaction()
    transaction.delete("/t/c")
    transaction.check("/t", 7)
    results = transaction.commit()
    assert isinstance(results[1], BadVersionError), results
    assert b.exists("/t/c")


def leases(a, b):
    import datetime

    lease = a.NonBlockingLease("/lease", datetime.timedelta(seconds=10), identifier="a")
    assert lease
    assert not b.NonBlockingLease("/lease", datetime.timedelta(seconds=10), identifier="b")


def sessions(a, b):
    lost = client()
    states = []
    lost.add_listener(states.append)
    lost.create("/mortal", ephemeral=True)
    session = lost.client_id
    lost._connection._socket.shutdown(2)
    until("suspended and back", lambda: KazooState.SUSPENDED in states and states[-1] == KazooState.CONNECTED)
    assert lost.client_id == session and b.exists("/mortal")
    lost.stop()
    until("ephemeral gone", lambda: b.exists("/mortal") is None)


def many(a, b):
    a.ensure_path("/many")
    pending = [a.create_async("/many/n-", b"x" * 100, sequence=True) for _ in range(2000)]
    names = [each.get(timeout=20) for each in pending]
    assert names == ["/many/n-%010d" % i for i in range(2000)]
    assert len(b.get_children("/many")) == 2000


def words(a, b):
    assert a.command(b"ruok") == "imok"
    assert a.server_version()[:2] == (3, 8)
    assert "Mode: standalone" in a.command(b"srvr")
    assert "zk_znode_count" in a.command(b"mntr")


ALL = [
    znodes, acls, one_shot_watches, lock, read_write_lock, semaphore, election, queue, locking_queue, party, barrier,
    double_barrier, counter, data_watch, children_watch, tree_cache, partitioner, transactions, leases, sessions, many,
    words,
]

for recipe in ALL:
    pair = [client(), client()]
    try:
        recipe(*pair)
        print("ok", recipe.__name__, flush=True)
    except Exception:
        failures += 1
        print("failed %s: %s" % (recipe.__name__, traceback.format_exc().replace("\n", "\\n")), flush=True)
    for one in pair:
        one.stop()
        one.close()
