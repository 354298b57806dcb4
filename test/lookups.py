"""What judges of look-ups read of a feed, and how they ask."""
import ipaddress
import json
import random

import feed
from judge import run

RANDOM = random.Random(5)


class Feed:
    """The last revision of each date: DayBegin, [SourceDay record], Day."""

    def __init__(self, folder):
        self.folder, self.dates = folder, {}
        begin, records = None, []
        for segment in feed.read(folder).values():
            for record in segment:
                body = record.WhichOneof("body")
                if body == "day_begin":
                    begin, records = record.day_begin, []
                elif body == "source_day":
                    records.append(record.source_day)
                elif body == "day":
                    self.dates[record.day.facts.date] = (begin, records, record.day)
                    begin, records = None, []

    def sources(self, wanted, dates=None):
        """[(date, SourceDay)] of those wanted."""
        return [(date, s) for date, (_, records, _) in sorted(self.dates.items()) if dates is None or date in dates
                for s in records if wanted(s)]


def date_text(date):
    return str(days_from_epoch(date))


def days_from_epoch(date):
    import datetime
    return datetime.date(1970, 1, 1) + datetime.timedelta(date)


def seconds(ns):
    return f"{'-' if ns < 0 else ''}{abs(ns) // 10**9}.{abs(ns) % 10**9:09}"


def ask(verdict, what, key, *words, rc=0):
    got, out, err = run(what, key, "--json", *words)
    verdict.equal(got, rc, f"{what} {key} {words}: exit ({err.strip()[:300]})")
    try:
        return json.loads(out)
    except ValueError:
        verdict.check(False, f"{what} {key}: no JSON: {out[:100]} {err[:200]}")
        return None


def in_prefix(text):
    network = ipaddress.ip_network(text)
    return lambda s: len(s.address) == (4 if network.version == 4 else 16) and ipaddress.ip_address(s.address) in network
