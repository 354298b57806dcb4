"""forms.py: the forms of UDP payloads a second time, after the specifications, for reference.py and test_forms.py.

A form is a function of the payload's first 256 bytes as far as they were caught, and of its length on the wire. Shares no line
with the program.
"""
import re
from struct import error, unpack_from

SEEN = 256


def ascii_text(data):
    return bool(data) and all(32 <= c < 127 or c in b"\r\n\t" for c in data)


def qotd(data, length):
    return ascii_text(data)


def chargen(data, length):
    ring = bytes(range(32, 127)) * 2
    return len(data) >= 8 and ascii_text(data) and data[:8] in ring


def dns_response(data, length, opcodes=(0, 1, 2, 4, 5, 6)):
    ident, flags, questions, *records = unpack_from(">6H", data)
    return (flags >> 15 == 1 and flags >> 11 & 15 in opcodes
            and 12 + 5 * questions + 11 * sum(records) <= length)


def netbios_response(data, length):
    return dns_response(data, length, (0, 5, 6, 7, 8, 9, 15))


def dhcp(data, length):
    is_bootp = length >= 300 and data[1:3] == b"\1\6"
    return length >= 240 and data[0] == 2 and data[2] <= 16 and (is_bootp or data[236:240] == bytes.fromhex("63825363"))


def tftp(data, length):
    opcode, number = unpack_from(">HH", data)
    return {3: number == 1 and length <= 516, 4: number <= 1 and length == 4, 5: number <= 8 and length >= 5,
            6: 32 <= data[2] < 127}.get(opcode, False)


def element(data, at, length):
    """(tag, first byte of the content, its length) of BER."""
    tag, size, begin = data[at], data[at + 1], at + 2
    if size & 128:
        count = size & 127
        if not 1 <= count <= 4 or begin + count > len(data):
            raise IndexError
        size, begin = int.from_bytes(data[begin:begin + count], "big"), begin + count
    if begin + size > length:
        raise IndexError
    return tag, begin, size


def skip(data, at, length, *tags):
    for tag in tags:
        found, begin, size = element(data, at, length)
        if found != tag:
            raise IndexError
        at = begin + size
    return at


def kerberos(data, length):
    tag, begin, _ = element(data, 0, length)
    return length >= 10 and tag in (0x6b, 0x6d, 0x7e) and element(data, begin, length)[0] == 0x30


def snmp(data, length):
    tag, at, _ = element(data, 0, length)
    kind, number, size = element(data, at, length)
    if length < 20 or tag != 0x30 or kind != 2 or size != 1:
        return False
    version, at = data[number], number + 1
    if version == 3:
        tag, at, _ = element(data, skip(data, at, length, 0x30, 4), length)
        if tag != 0x30:
            return False
        at = skip(data, at, length, 4, 4)
    elif version in (0, 1):
        at = skip(data, at, length, 4)
    else:
        return False
    return element(data, at, length)[0] in (0xa2, 0xa8)


def cldap(data, length):
    tag, at, _ = element(data, 0, length)
    return length >= 7 and tag == 0x30 and element(data, skip(data, at, length, 2), length)[0] in (0x64, 0x65, 0x73)


def rpc(data, length):
    message, state = unpack_from(">II", data, 4)
    if message != 1 or length % 4:
        return False
    if state == 1:
        return length >= 20 and unpack_from(">I", data, 12)[0] <= 1
    if state != 0 or length < 24:
        return False
    flavor, size = unpack_from(">II", data, 12)
    return flavor < 7 and (size > 0 or unpack_from(">I", data, 20)[0] <= 5)


def ntp(data, length):
    mode, version = data[0] & 7, data[0] >> 3 & 7
    if not 1 <= version <= 4 or length < 8:
        return False
    if mode in (2, 4):
        return length >= 48 and data[1] <= 16
    return (mode == 6 and data[1] >= 128 and length >= 12) or (mode == 7 and data[0] >= 128)


def xdmcp(data, length):
    version, opcode, size = unpack_from(">3H", data)
    return version == 1 and opcode in (5, 6, 8, 9, 11, 12, 14) and size + 6 == length


def slp(data, length):
    return length >= 14 and data[0] == 2 and data[1] in (2, 5, 7, 8, 10, 11) and int.from_bytes(data[2:5], "big") == length \
        and len(data) >= 5


def quic(data, length):
    first, version, to = unpack_from(">BIB", data)
    if first < 128 or to > 20 or data[6 + to] > 20 or length < 11:
        return False
    body = 7 + to + data[6 + to]
    if body >= length:
        return False
    if version == 0:
        return (length - body) % 4 == 0
    known = (version in (1, 0x6b3343cf) or version >> 8 == 0xff0000 or version >> 24 in (ord("Q"), ord("T"))
             or version & 0x0f0f0f0f == 0x0a0a0a0a or version >> 4 == 0xfaceb00)
    zero_rtt = 2 if version == 0x6b3343cf else 1
    return bool(first & 64) and known and first >> 4 & 3 != zero_rtt


def dtls(data, length):
    kind, version, epoch, size, first = unpack_from(">BHH6xHB", data)
    if version not in (0xfeff, 0xfefd) or epoch or 13 + size > length or length < 15:
        return False
    return (kind == 21 and size == 2 and first in (1, 2)) or (kind == 22 and first in (2, 3))


def quic_or_dtls(data, length):
    return holds(quic, data, length) or holds(dtls, data, length)


def ike(data, length):
    cookie, _, version, exchange, flags, _, size = unpack_from(">8xQBBBBII", data)
    if length < 28 or size != length:
        return False
    if version == 0x10:
        return exchange == 5 or (cookie != 0 and 1 <= exchange <= 6)
    return version == 0x20 and 34 <= exchange <= 45 and bool(flags & 32)


def ike_nat(data, length):
    return data[:4] == bytes(4) and ike(data[4:], length - 4)


def rip(data, length):
    command, version, zero, family = unpack_from(">BBHH", data)
    return (command == 2 and version in (1, 2) and zero == 0 and family in (2, 0xffff)
            and length >= 24 and length % 20 == 4 and length <= 504)


def ipmi(data, length):
    if length < 12 or data[:2] != b"\6\0":
        return False
    if data[3] & 31 == 6:
        return data[4:8] == bytes.fromhex("000011be") and data[8] == 0x40
    return data[3] & 31 == 7 and data[4] == 0 and data[14] == 0x81 and bool(data[15] & 4)


def openvpn(data, length):
    return data[0] >> 3 == 8 and length >= 26


def mssql(data, length):
    return data[0] == 5 and unpack_from("<H", data, 1)[0] + 3 == length


def radius(data, length):
    return data[0] in (2, 3, 5, 11) and length >= 20 and 20 <= unpack_from(">H", data, 2)[0] <= length


def ssdp(data, length):
    return length >= 12 and re.match(rb"HTTP/1\.. 200", data, re.S) is not None


def gtp(data, length):
    first, kind, size = unpack_from(">BBH", data)
    header = {1: 8 if first & 16 else None, 2: 4}.get(first >> 5)
    return length >= 8 and kind == 2 and header is not None and size + header == length


def addp(data, length):
    opcode, size = unpack_from(">HH", data, 4)
    return data[:4] == b"DIGI" and opcode > 0 and opcode % 2 == 0 and size + 8 == length


def arms(data, length):
    command, size = unpack_from(">HH", data)
    return length >= 20 and command != 20 and size + 4 == length


def stun(data, length):
    kind, size = unpack_from(">HH", data)
    return length >= 20 and kind in (0x101, 0x103, 0x111, 0x113) and size % 4 == 0 and size + 20 == length


def says_nothing(data, length):
    """WS-Discovery whose first bytes are names of namespaces alone."""
    words = (b"Probe", b"Resolve", b"Fault", b"Hello", b"Bye")
    return length > SEEN == len(data) and b"Envelope" in data and not any(word in data for word in words)


def ws_discovery(data, length):
    return says_nothing(data, length) or (length >= 20 and b"<" in data and (b"Matches" in data or b"Fault" in data))


def nat_pmp(data, length):
    version, opcode = data[0], data[1]
    if opcode < 128 or length < 8:
        return False
    return (version == 2 and length >= 24 and length % 4 == 0) or (version == 0 and opcode <= 130 and length in (8, 12, 16))


def sip(data, length):
    return length >= 12 and re.match(rb"SIP/2\.0 [1-6]", data) is not None


def coap(data, length):
    first, code = data[0], data[1]
    version, kind, token = first >> 6, first >> 4 & 3, first & 15
    if version != 1 or token > 8 or length < 4 + token:
        return False
    return (code == 0 and token == 0 and length == 4) if kind == 3 else code >> 5 in (2, 4, 5)


def ubiquiti(data, length):
    version, command, size = unpack_from(">BBH", data)
    return size > 0 and size + 4 == length and ((version == 1 and command == 0) or (version == 2 and command != 8))


def memcached(data, length):
    number, count, zero = unpack_from(">HHH", data, 2)
    begins = (b"STAT ", b"VALUE ", b"END\r\n", b"ERROR", b"VERSION ", b"OK\r\n", b"STORED", b"CLIENT_E", b"SERVER_E", b"RESET")
    return length >= 8 and zero == 0 and number < count and (number > 0 or data[8:].startswith(begins))


def source_engine(data, length):
    return length >= 5 and (data[:4] == b"\xfe\xff\xff\xff" or (data[:4] == b"\xff" * 4 and data[4] in b"ImDEAj"))


def quake(data, length):
    return length >= 10 and re.match(rb"\xff{4}(statusResponse|infoResponse|print\n)", data) is not None


def sadp(data, length):
    return length >= 20 and b"<ProbeMatch" in data


def dahua(data, length):
    return (data[4:8] == b"DHIP" or data[:1] == b"{") and b"notifyDevInfo" in data and length >= 20


def ethernet_ip(data, length):
    command, size = unpack_from("<HH", data)
    return command in (4, 0x63, 0x64) and size > 0 and size + 24 == length


def bacnet(data, length):
    kind, function, size = unpack_from(">BBH", data)
    if kind != 0x81 or size != length or function not in (0, 4, 10, 11):
        return False
    if function == 0:
        return length == 6
    rest = data[10 if function == 4 else 4:]
    version, control = rest[0], rest[1]
    if version != 1 or control & 128:
        return False
    rest = rest[2:]
    if control & 32:
        rest = rest[3 + rest[2]:]
    if control & 8:
        rest = rest[3 + rest[2]:]
    if control & 32:
        rest = rest[1:]
    return rest[0] >> 4 in (2, 3, 5, 6, 7) or (rest[0] >> 4 == 1 and len(rest) > 1 and rest[1] <= 1)


ANSWERS = {17: qotd, 19: chargen, 53: dns_response, 67: dhcp, 69: tftp, 80: quic_or_dtls, 88: kerberos, 111: rpc, 123: ntp,
           137: netbios_response, 161: snmp, 177: xdmcp, 389: cldap, 427: slp, 443: quic_or_dtls, 500: ike, 520: rip, 623: ipmi, 635: rpc,
           853: quic_or_dtls, 1194: openvpn, 1434: mssql, 1645: radius, 1646: radius, 1812: radius, 1813: radius, 1900: ssdp,
           2049: rpc, 2123: gtp, 2152: gtp, 2222: ethernet_ip, 2362: addp, 3283: arms, 3478: stun, 3479: stun,
           3702: ws_discovery, 4500: ike_nat, 5060: sip, 5061: sip, 5062: sip, 5351: nat_pmp, 5353: dns_response,
           5355: dns_response, 5683: coap, 8443: quic_or_dtls, 10001: ubiquiti, 11211: memcached, 17185: rpc, 19302: stun,
           **dict.fromkeys(range(27005, 27051), source_engine), **dict.fromkeys(range(27960, 27964), quake),
           **dict.fromkeys((32410, 32412, 32413, 32414), ssdp), 3391: dtls, 4433: quic_or_dtls, 37020: sadp, 37810: dahua, 44818: ethernet_ip, 47808: bacnet}


def dht(data, length):
    ip = rb"(?:2:ip(?:6:.{6}|18:.{18}))?"
    return length >= 16 and ((re.match(rb"d" + ip + rb"1:[ar]d", data, re.S) is not None and b"2:id20:" in data)
                             or (re.match(rb"d" + ip + rb"1:eli[23]0", data, re.S) is not None and b"1:y1:e" in data))


def utp(data, length):
    kind, extension, _, stamp, delay, window, number, acked = unpack_from(">BBHIIIHH", data)
    if kind & 15 != 1 or not 1 <= kind >> 4 <= 4 or window >> 24:
        return False
    if kind >> 4 == 4 and (delay or acked or not window):
        return False
    if extension == 0:
        return length == 20 and stamp > 0 and number > 0
    return extension == 2 and length == 30 and data[20:30] == b"\0\x08" + bytes(8)


def bittorrent(data, length):
    return data.startswith(b"\x13BitTorrent protocol") or data.startswith(b"BT-SEARCH * HTTP/1.1\r\n")


def tracker(data, length):
    return length == 16 and data[:12] == bytes.fromhex("000004172710198000000000")


def holds(test, data, length):
    try:
        return bool(test(data[:SEEN], length))
    except (IndexError, error):
        return False


def form(source_port, data, length):
    """"answer", "stray" or None of a payload."""
    if source_port in ANSWERS and holds(ANSWERS[source_port], data, length):
        return "answer"
    return "stray" if any(holds(test, data, length) for test in (dht, utp, bittorrent, tracker)) else None


def is_group(address, port):
    """Where only control traffic of one link goes; discovery is none."""
    if ":" not in address:
        return address.startswith("224.0.0.") or (address == "255.255.255.255" and port in (67, 68))
    return address.startswith(("ff01:", "ff02:")) and address != "ff02::c"
