"""What pods use of processor and memory, by their cgroups (version 1 or 2), for tests/cluster/node/usage.sh.

    usage.py SECONDS NAME=UID…        a line for each: name, processors, the most memory in MiB as RSS and as working set

RSS is what the processes have made for themselves; the working set adds what the kernel holds for them and cannot give up
at once, which is what limits are held against.
"""

import glob
import sys
import time

INTERVAL = 0.5
MIB = 1 << 20


def numbers(path):
    with open(path) as file:
        return {words[0]: int(words[1]) for words in (line.split() for line in file) if len(words) == 2}


def number(path):
    with open(path) as file:
        return int(file.read())


class Pod:
    def __init__(self, uid):
        def place(hierarchy):
            found = glob.glob(f"/sys/fs/cgroup{hierarchy}/kubepods/**/pod{uid}", recursive=True)
            return found[0] if found else None

        self.memory, self.processor = place("/memory"), place("/cpuacct")
        self.unified = None if self.memory else place("")
        if not (self.memory or self.unified):
            sys.exit(f"pod {uid} has no cgroup")
        self.begun, self.rss_max, self.working_set_max = self.processor_seconds(), 0, 0

    def processor_seconds(self):
        if self.unified:
            return numbers(f"{self.unified}/cpu.stat")["usage_usec"] / 1e6
        return number(f"{self.processor}/cpuacct.usage") / 1e9

    def look(self):
        if self.unified:
            told, used = numbers(f"{self.unified}/memory.stat"), number(f"{self.unified}/memory.current")
            rss, inactive = told["anon"], told["inactive_file"]
        else:
            told, used = numbers(f"{self.memory}/memory.stat"), number(f"{self.memory}/memory.usage_in_bytes")
            rss, inactive = told["total_rss"], told["total_inactive_file"]
        self.rss_max = max(self.rss_max, rss)
        self.working_set_max = max(self.working_set_max, used - inactive)


def main(seconds, *names):
    pods = {name: Pod(uid) for name, uid in (pair.split("=") for pair in names)}
    begun = time.monotonic()
    while (elapsed := time.monotonic() - begun) < float(seconds):
        for pod in pods.values():
            pod.look()
        time.sleep(INTERVAL)
    for name, pod in pods.items():
        processors = (pod.processor_seconds() - pod.begun) / elapsed
        print(name, f"{processors:.3f}", round(pod.rss_max / MIB), round(pod.working_set_max / MIB))


main(*sys.argv[1:])
