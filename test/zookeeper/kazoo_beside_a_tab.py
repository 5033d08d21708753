"""One kazoo client beside a browser tab. Says what it sees, a word a line; what it is to do next comes in the same way."""

import sys

from kazoo.client import KazooClient
from kazoo.exceptions import LockTimeout

# kazoo joins the patterns into a regular expression as they are.
TABS = ("exclusive-[0-9a-f]+-", "shared-[0-9a-f]+-")


def say(word):
    print(word, flush=True)


client = KazooClient(hosts=sys.argv[1], timeout=10.0)
client.start(timeout=15)


def watched(event):
    say("told " + event.type)


client.sync("/")
say("there" if client.exists("/of-the-tab", watch=watched) else "not there")
lock = client.Lock("/tk/locks/doc", "kazoo", extra_lock_patterns=TABS)
for line in sys.stdin:
    word = line.strip()
    if word == "lock":
        lock.acquire(timeout=10)
        say("locked")
    elif word == "unlock":
        lock.release()
        say("unlocked")
    elif word == "try":
        try:
            lock.acquire(timeout=1)
            say("got it")
        except LockTimeout:
            say("excluded")
    elif word == "end":
        break
client.stop()
client.close()
say("ended")
