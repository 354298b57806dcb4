"""reference_indicators.py: the indicators of a capture's payloads, straight from their definition (classify/indicator.h). Shares no line with the
program: regular expressions over the whole text, addresses by Python's ipaddress and the C library's inet_aton.

Packets come from tshark (reference.py), the rule of a payload from reference_rules.py. Of what a sender may hide an address of the telescope in, it
knows the plain ways: dotted, dashed, backwards, one number in decimal or hex.
"""
import base64
import ipaddress
import re
import socket
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from reference import SCAN

SEEN = 1472
ENDS = r"[^;|&\n\r`()<>$,\\]*"
SHELL = {"enable", "system", "shell", "sh", "linuxshell", "start-shell", "ping", "cat", "cd", "echo", "ls", "su", "exit"}
USERS = "username user login loginuse uname usr luser userid".split()
PASSWORDS = "password passwd pass pwd psd loginpas psw passwrd".split()
OWN = {"local", "internal", "arpa", "localhost", "lan", "home", "localdomain", "invalid", "test"}
SCHEMES = {"http", "https", "ftp", "tftp", "ldap", "ldaps", "rmi", "dns"}


@dataclass
class Indicator:
    key: tuple  # date, kind, role, value
    first: int
    last: int
    proto: str
    port: int
    rule: str
    packets: int = 0
    bytes: int = 0
    sources: set = field(default_factory=set)


def plain(text):
    text = re.sub(r"%([0-9a-fA-F]{2})|\+|\$\{IFS\}|\$IFS(?:\$[0-9])?", lambda m: chr(int(m[1], 16)) if m[1] else " ", text)
    return re.sub(r"[^\n\r -~]", " ", text)


def looked_up(text):
    while True:
        found = re.sub(r"\$\{(?:lower|upper):([^{}]*)\}|\$\{[^{}]*?:-([^{}]*)\}", lambda m: m[1] if m[1] is not None else m[2], text)
        if found == text:
            return text
        text = found


def hexed(match):
    return f"\\x{ord(match[0]):02x}"


class Payload:
    """What one payload says; `dark` says of an address whether it must not be told."""

    def __init__(self, data, is_telnet, is_cut, dst, dark):
        self.dst, self.is_dark, self.is_cut, self.found, self.withheld = dst, dark, is_cut or len(data) > SEEN, [], 0
        data = data[:SEEN]
        raw = data.decode("latin-1")
        text = plain(raw)
        self.commands(looked_up(text))
        if not self.found and not self.withheld and "%" in text:
            self.commands(looked_up(plain(text)))
        self.logins(raw.replace("\0", " "))
        if is_telnet:
            self.telnet(data)
        self.found = list(dict.fromkeys(self.found))[:8]

    def add(self, kind, role, value):
        if len(value) < 256:
            self.found.append((kind, role, value))

    # ---- what must not be told

    def mentions(self, text):
        for m in re.finditer(r"(?<!\d)(\d{1,3})([._-])(\d{1,3})\2(\d{1,3})\2(\d{1,3})", text):
            quads = [int(n) for n in (m[1], m[3], m[4], m[5])]
            if max(quads) < 256 and (self.is_dark(bytes(quads)) or self.is_dark(bytes(quads[::-1]))):
                return True
        numbers = [int(n) for n in re.findall(r"(?<!\d)\d{7,10}(?!\d)", text)]
        hexes = re.findall(r"(?<![0-9a-fA-F])(?:0x)?([0-9a-fA-F]{8})(?![0-9a-fA-F])", text)
        for n in numbers + [int(h, 16) for h in hexes]:
            if n < 2**32 and any(self.is_dark(n.to_bytes(4, order)) for order in ("big", "little")):
                return True
        return False

    def withholds(self, text):
        hit = self.mentions(text)
        self.withheld += hit
        return hit

    # ---- hosts and URLs

    def host(self, word):
        """The host in its usual form; None."""
        try:
            six = ipaddress.IPv6Address(word.strip("[]"))
            if six.is_multicast or six.is_loopback or six.is_unspecified:
                return None
            self.withheld += self.is_dark(six.packed)
            return None if self.is_dark(six.packed) else f"[{six}]"
        except ValueError:
            pass
        if re.fullmatch(r"(?:0[xX][0-9a-fA-F]+|\d+)(?:\.(?:0[xX][0-9a-fA-F]+|\d+)){0,3}", word):
            try:
                quad = socket.inet_aton(word)
            except OSError:
                return None
            if quad[0] in (0, 127) or quad[0] >= 224:
                return None
            self.withheld += self.is_dark(quad)
            return None if self.is_dark(quad) else socket.inet_ntoa(quad)
        if not re.fullmatch(r"(?:[A-Za-z0-9_-]{1,63}\.)+[A-Za-z]{2,63}", word) or word.rsplit(".", 1)[1].lower() in OWN:
            return None
        return None if self.withholds(word) else word.lower()

    @staticmethod
    def defanged(host):
        return host.strip("[]").replace(":", "[:]") if host.startswith("[") else host.replace(".", "[.]")

    def url(self, scheme, authority, path):
        m = re.fullmatch(r"(?:.*@)?(\[[^\]]*\]|[^:]*)(?::(\d+))?", authority)
        if not m or (m[2] and not 0 < int(m[2]) < 65536):
            return
        host = self.host(m[1])
        if not host:
            return
        path = "/" + path.removeprefix("/")
        path = re.match(r"""[^?#"'<>\\^`{}|\0- \x7f-\uffff]*""", path)[0]
        port = f":{int(m[2])}" if m[2] else ""
        scheme = {"http": "hxxp", "https": "hxxps"}.get(scheme.lower(), scheme.lower())
        if not self.withholds(path):
            self.add("url", "loader", f"{scheme}://{self.defanged(host)}{port}{path}")
        self.add("host", "loader", self.defanged(host))

    def word(self, word, needs_scheme=False, is_alone=False):
        m = re.match(r"([A-Za-z]+)://", word)
        if "://" in word and (not m or m[1].lower() not in SCHEMES):
            return
        if not m:
            looks = "/" in word or re.match(r"[0-9xa-fA-F]+\.[0-9xa-fA-F]+\.[0-9xa-fA-F]+\.[0-9xa-fA-F]+(:|$)", word)
            if needs_scheme or not (is_alone or looks):
                return
        rest = word[m.end():] if m else word
        authority = re.match(r"[^/?#]*", rest)[0]
        behind = rest[len(authority):]
        self.url(m[1] if m else "http", authority, behind if behind.startswith("/") else "/")

    # ---- commands

    def commands(self, text):
        starts = r"(?<![A-Za-z0-9_-])(?:(wget|curl|fetch|lwp-download|tftp|ftpget|nc|ncat|telnet) |(jndi):)"
        for m in re.finditer(starts, text, re.I):
            if m[2]:
                word = re.match(r"""[^ }"'\r\n]*""", text[m.end():])[0]
                if not (self.is_cut and m.end() + len(word) == len(text)):
                    self.word(word, needs_scheme=True)
                continue
            tail = re.match(ENDS, text[m.end():])[0]
            words = [w for w in re.split(r"[ \"']+", tail) if w][:24]
            if self.is_cut and m.end() + len(tail) == len(text) and tail[-1:] not in " \"'":
                words = words[:-1]
            self.command(m[1].lower(), words)
        for m in re.finditer(r"/dev/tcp/([^/ ;|&]+)/(?=\d)", text):
            host = self.host(m[1])
            if host:
                self.add("host", "c2", self.defanged(host))

    def command(self, name, words):
        valued = {"wget": "OoPTtUeA", "lwp-download": "OoPTtUeA", "curl": "oTUmHAeXdux", "fetch": "oTUmHAeXdux", "tftp": "rlbcm",
                  "ftpget": "upP"}.get(name, "epsw")
        words_plain, skip = [], False
        for w in words:
            if skip:
                skip = False
            elif w.startswith("-") and len(w) > 1:
                skip = len(w) == 2 and w[1] in valued
            else:
                words_plain.append(w)
        behind = lambda option: next((b for a, b in zip(words, words[1:]) if a == option), "")
        at = lambda n: words_plain[n] if n < len(words_plain) else ""
        if name in ("nc", "ncat", "telnet"):
            if re.fullmatch(r"\d+", at(1)) and 0 < int(at(1)) < 65536:
                host = self.host(at(0))
                if host:
                    self.add("host", "c2", self.defanged(host))
        elif name == "tftp":
            if "://" in at(0):
                self.word(at(0), needs_scheme=True)
            elif at(0) not in ("", "get"):
                self.url("tftp", at(0), behind("-r") or behind("get"))
        elif name == "ftpget":
            if at(0):
                self.url("ftp", at(0), at(2) or at(1))
        elif name in ("wget", "lwp-download") and behind("-g") and behind("-r"):
            self.url("http", behind("-g"), behind("-r"))
        else:
            for w in words_plain:
                self.word(w, is_alone=len(words_plain) == 1)

    # ---- logins

    def login(self, user, password):
        if not user + password or len(user) > 64 or len(password) > 64:
            return
        value = re.sub(r"[^ -~]|[\\:]", hexed, user) + ":" + re.sub(r"[^ -~]|\\", hexed, password)
        if not self.withholds(user + ":" + password):
            self.add("login", "login", value)

    def coded(self, text):
        digits = re.match(r"[A-Za-z0-9+/]*", text)[0]
        if self.is_cut and len(digits) == len(text):
            return
        whole = base64.b64decode(digits[:len(digits) - (len(digits) % 4 == 1)] + "=" * (-len(digits) % 4)) if len(digits) > 1 else b""
        user, colon, password = whole.decode("latin-1").rstrip("\r\n").partition(":")
        if colon and user:
            self.login(user, password)

    def logins(self, raw):
        for m in re.finditer(r"authorization: *basic +|(?<=[?&])auth=", raw, re.I):
            self.coded(raw[m.end():])
        values = []
        for names in (USERS, PASSWORDS):
            m = re.search(rf"""(?:^|(?<=[?& \n";,{{]))(?:{"|".join(sorted(names, key=len, reverse=True))})"""
                          r"""(?:=([^& \r\n"';<>]*)|" *: *"([^"\r\n]*))""", raw, re.I)
            if not m or (self.is_cut and m.end() == len(raw)):
                return
            value = m[1] if m[1] is not None else m[2]
            values.append(unquote_to_bytes(value.replace("+", " ").encode("latin-1")).decode("latin-1"))
        if values[0]:
            self.login(*values)

    def telnet(self, data):
        data = re.sub(rb"\xff\xfa.*?\xff\xf0|\xff[\xfb-\xfe].|\xff[^\xfa-\xfe]", b"", data, flags=re.S)
        lines = re.split(rb"[\r\n\0]+", data.lstrip(b"\r\n\0"))
        ended, rest = lines[:-1], lines[-1]
        good = lambda line: re.fullmatch(rb"[!-~]{1,32}", line) and not re.search(rb"[/;|`$]", line)
        if not ended or not good(ended[0]) or ended[0].decode() in SHELL:
            return
        if len(ended) > 1 and good(ended[1]):
            self.login(ended[0].decode(), ended[1].decode())
        elif len(ended) == 1 and not rest:
            self.login("", ended[0].decode())


def of_packet(packet, payloads, networks):
    """(rule, Payload) of a packet whose payload is looked at; None."""
    if packet.kind() not in SCAN or packet.port is None:
        return None
    proto = "udp" if packet.kind() == "udp" else "tcp"
    data = packet.bytes_of(proto + ".payload")
    rule = payloads.strongest(proto, packet.port, data) if data else None
    if rule is None or not (rule.is_exploit or proto == "tcp"):
        return None
    dst = ipaddress.ip_address(packet.dst)

    def dark(address):
        a = ipaddress.ip_address(address)
        return a == dst or any(a.version == n.version and a in n for n in networks)
    return rule, Payload(data, proto == "tcp" and rule.is_exploit, False, dst, dark)


def indicators_of(packets, payloads, networks=()):
    """({key: Indicator}, how many were withheld) of a capture; dates are UTC's."""
    found, withheld = {}, 0
    for packet in packets:
        hit = of_packet(packet, payloads, networks)
        if not hit:
            continue
        rule, said = hit
        withheld += said.withheld
        for indicator in said.found:
            key = (packet.ns // (86400 * 10**9), *indicator)
            proto = "udp" if packet.kind() == "udp" else "tcp"
            e = found.setdefault(key, Indicator(key, packet.ns, packet.ns, proto, packet.port, rule.id))
            if (packet.ns, rule.id, packet.port, proto) < (e.first, e.rule, e.port, e.proto):
                e.first, e.rule, e.port, e.proto = packet.ns, rule.id, packet.port, proto
            e.last = max(e.last, packet.ns)
            e.packets += 1
            e.bytes += packet.bytes
            e.sources.add(packet.src)
    return found, withheld
