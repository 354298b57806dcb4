"""Events for judges: what they are, and the lines that make_events writes them from. Knows nothing of the program."""
import ipaddress
import os
import subprocess
from dataclasses import dataclass, replace

from judge import ROOT

MAKE = os.environ.get("MAKE_EVENTS") or os.path.join(ROOT, "build", "test", "make_events")
MINUTE = 60 * 10**9
START = 29454480  # minutes since 1970: 2026-01-01T12:00Z


@dataclass(frozen=True)
class Event:
    """One record of an event; minutes are counted from START."""
    type: str = "scan"
    phase: str = "begin"
    update: int = 0
    first: int = 0
    told: int = 1  # at the end of the window of the minute before
    packets: int = 100
    address: str = "203.0.113.7"
    proto: str = "tcp"
    port: str = "23"
    kind: str = "tcp_syn"
    rate: str = "120.5"
    country: str = "JP"
    asn: str = "64500"
    text: str = "Example Net"

    @property
    def first_ns(self):
        return (START + self.first) * MINUTE + 5

    @property
    def last_ns(self):
        return (START + self.told) * MINUTE - 1

    @property
    def time_ns(self):
        return (START + self.told) * MINUTE

    def line(self):
        words = [self.type, self.phase, self.update, self.first_ns, self.last_ns, self.time_ns, self.packets, self.address or "-",
                 self.proto, self.port, self.kind, self.rate, self.country, self.asn, self.text]
        return "e " + " ".join(str(w) for w in words)

    def key(self):
        """What makes it one event."""
        return self.type, self.address, self.proto, self.port, self.kind, self.first, self.text if self.type == "indicator" else ""

    def packed(self):
        return ipaddress.ip_address(self.address).packed if self.address else b""


def sample():
    """{minute: [events told at its begin]}: every type; short, long, open ones; several hosts of one port."""
    told = {}

    def tell(*events):
        for event in events:
            told.setdefault(event.told, []).append(event)

    scan = Event(first=0, told=1)
    tell(scan, replace(scan, phase="goes_on", update=1, told=5, packets=500),
         replace(scan, phase="end", update=2, told=9, packets=900))
    for n in range(4):  # four hosts on one port: enough for public readers
        tell(Event(first=2, told=3, phase="end", address=f"198.51.100.{n + 1}", port="2323", packets=50 + n, rate="-", text=f"Net {n}"))
    tell(Event(first=3, told=6, address="2001:db8::1", port="8080", rate="-", country="DE", asn="-", text="例のネット"))
    tell(Event("dos", first=1, told=4, address="192.0.2.80", port="-", kind="-", rate="40000", packets=3000, text="Victim Net"))
    tell(Event("amplification", first=2, told=7, phase="end", address="192.0.2.53", proto="udp", port="53", kind="-", rate="-",
               packets=77, text="Victim Net"))
    tell(Event("watched", first=4, told=5, phase="end", address="198.51.100.9", port="-", kind="-", rate="-", text="例大学"))
    tell(Event("infected", first=0, told=10, phase="end", address="203.0.113.9", proto="tcp", port="-", kind="-", rate="-", text="mirai"))
    tell(Event("indicator", first=2, told=8, phase="end", address="", proto="tcp", port="-", kind="-", rate="-", country="-", asn="-",
               text="hxxp://192.0.2[.]66/bins/mips, =x\"y"))
    tell(Event("new_activity", first=0, told=10, phase="end", address="", port="5555", kind="-", rate="-", country="-", asn="-", text="x"))
    return told


def last_of(told):
    """The last record of each event."""
    last = {}
    for minute in sorted(told):
        for event in told[minute]:
            last[event.key()] = event
    return list(last.values())


def lines(told, minutes, packets=20, first=0):
    """The feed's lines; make_events sorts the events between two windows."""
    out = []
    for minute in range(first, minutes):
        out.append(f"w {START + minute} {packets}")
        out += [e.line() for e in told.get(minute + 1, [])]
    return out


def make(folder, wanted, sensor="dark1", zone="UTC", append=False):
    """Writes the feed."""
    done = subprocess.run([MAKE, folder, sensor, zone] + (["append"] if append else []), input="\n".join(wanted) + "\n", text=True,
                          capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder
