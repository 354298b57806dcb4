"""reference_origin.py: who a source is, from IANA's registries as test_origins.py has them, list files and databases read with
python3-yaml and python3-maxminddb. For reference_day.py; shares no line with the program.
"""
import hashlib
import ipaddress

import maxminddb
import yaml

from test_origins import BLOCKS, BLOCKS_BY_LENGTH, as_of, country_of, longest

NOT_GLOBAL = {"::/3", "4000::/2", "8000::/1"}  # together: what is left of ::/0 beside 2000::/3


def sha256_of(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


class Origins:
    """Lists of acknowledged scanners and databases of countries and AS; each may be left out."""

    def __init__(self, lists=(), country=None, asn=None):
        self.owners, self.lists, self.found = [], [], {}
        for path in lists:
            with open(path, encoding="utf-8") as f:
                content = yaml.load(f, yaml.BaseLoader)
            self.lists.append((content["list"], content.get("date", ""), sha256_of(path)))
            self.owners += [(ipaddress.ip_network(cidr), row["name"]) for row in content["organisations"] for cidr in row["cidrs"]]
        self.country, self.asn = (path and maxminddb.open_database(path) for path in (country, asn))
        opened = ((self.country, country), (self.asn, asn))
        self.databases = [(db.metadata().database_type, str(db.metadata().build_epoch), sha256_of(path)) for db, path in opened if db]

    def owner(self, address):
        """By the longest prefix, then the first name in bytes."""
        holding = [(-net.prefixlen, name.encode(), name) for net, name in self.owners
                   if net.version == address.version and address in net]
        return min(holding)[2] if holding else ""

    def of(self, address):
        """(acknowledged, bogon, country, AS number, AS name)"""
        if address not in self.found:
            self.found[address] = self.look_up(address)
        return self.found[address]

    def look_up(self, address):
        block = longest(BLOCKS_BY_LENGTH, address)
        if block and BLOCKS[block] is False:
            return "", "::/0" if str(block) in NOT_GLOBAL else str(block), "", 0, ""
        country = country_of(self.entry(self.country, address)) or ""
        system = as_of(self.entry(self.asn, address)) or {"number": 0, "name": ""}
        return self.owner(address), "", country, system["number"], system["name"] or ""

    @staticmethod
    def entry(database, address):
        if database is None or (address.version == 6 and database.metadata().ip_version == 4):
            return {}
        return database.get(address) or {}
