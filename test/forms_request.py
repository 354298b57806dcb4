"""forms_request.py: which UDP payloads ask a reflector for more than they bring, after the specifications, for reference_day.py.

As in forms.py: a function of the payload's first bytes and of its length on the wire. Shares no line with the program.
"""
from struct import unpack_from

import forms


def always(data, length):
    return True


def question(data, length):
    """A DNS message that is no response, with a question, and whose counts fit its length."""
    _, flags, questions, *records = unpack_from(">6H", data)
    return (flags >> 15 == 0 and flags >> 11 & 15 in (0, 1, 2, 4, 5, 6)
            and 12 + 5 * questions + 11 * sum(records) <= length and questions > 0)


def dns(data, length):
    flags = unpack_from(">H", data, 2)[0]
    if not question(data, length) or flags >> 11 & 15:
        return False
    if flags >> 8 & 1:
        return True
    at = 12
    while 0 < data[at] < 64:
        at += 1 + data[at]
    return data[at] == 0 and unpack_from(">H", data, at + 1)[0] == 255


def netbios(data, length):
    _, flags, questions, *records = unpack_from(">6H", data)
    fits = 12 + 5 * questions + 11 * sum(records) <= length
    return flags >> 15 == 0 and flags >> 11 & 15 in (0, 1, 2, 4, 5, 6) and fits and data[12] == 32 and data[46:48] == b"\0\x21"


def tftp(data, length):
    return data[:2] == b"\0\1" and 32 <= data[2] < 127


def rpc(data, length):
    message, version, program, program_version, procedure = unpack_from(">5I", data, 4)
    return (message, version, program) == (0, 2, 100000) and 2 <= program_version <= 4 and procedure in (4, 11, 12)


def ntp(data, length):
    mode = data[0] & 7
    if mode == 6:
        return data[1] < 128 and length >= 12
    return mode == 7 and data[0] < 128 and data[3] in (0, 1, 2, 20, 42)


def snmp(data, length):
    """GetBulk: as forms.snmp looks for a response."""
    tag, at, _ = forms.element(data, 0, length)
    kind, number, size = forms.element(data, at, length)
    if tag != 0x30 or kind != 2 or size != 1:
        return False
    version, at = data[number], number + 1
    if version == 3:
        tag, at, _ = forms.element(data, forms.skip(data, at, length, 0x30, 4), length)
        if tag != 0x30:
            return False
        at = forms.skip(data, at, length, 4, 4)
    elif version in (0, 1):
        at = forms.skip(data, at, length, 4)
    else:
        return False
    return forms.element(data, at, length)[0] == 0xa5


def xdmcp(data, length):
    version, opcode, size = unpack_from(">3H", data)
    return version == 1 and opcode in (1, 2, 3) and size + 6 == length


def cldap(data, length):
    tag, at, _ = forms.element(data, 0, length)
    return tag == 0x30 and forms.element(data, forms.skip(data, at, length, 2), length)[0] == 0x63


def slp(data, length):
    return data[0] == 2 and data[1] in (1, 6, 9) and len(data) >= 5 and int.from_bytes(data[2:5], "big") == length


def dtls(data, length):
    return (data[0] == 22 and data[1:3] in (b"\xfe\xff", b"\xfe\xfd") and data[13] == 1
            and unpack_from(">H", data, 11)[0] + 13 == length)


def rip(data, length):
    return data[0] == 1 and data[2:4] == b"\0\0" and length == 24 and data[20:24] == b"\0\0\0\x10"


def openvpn(data, length):
    return data[0] >> 3 in (7, 10)


def mssql(data, length):
    return data[0] in (2, 3) and length <= 2


def search(data, length):
    return data.startswith(b"M-SEARCH ")


def arms(data, length):
    return data[:2] == b"\0\x14" and length <= 8


def ws_discovery(data, length):
    return data.startswith(b"<:/>") or forms.says_nothing(data, length) or (b"<" in data and b"Probe" in data and b"Matches" not in data)


def coap(data, length):
    token = data[0] & 15
    return (data[0] >> 6 == 1 and token <= 8 and data[1] == 1
            and b".well-known\x04core" in data[5 + token:])


def ubiquiti(data, length):
    return length == 4 and data in (b"\1\0\0\0", b"\2\x08\0\0")


def memcached(data, length):
    return data[2:6] == b"\0\0\0\1" and data[8:].startswith((b"stats", b"get ", b"gets ", b"version"))


def source_engine(data, length):
    return data[:4] == b"\xff" * 4 and (data[4:].startswith(b"TSource Engine Query") or (length == 9 and data[4] in b"UV"))


def quake(data, length):
    return data.startswith((b"\xff\xff\xff\xffgetstatus", b"\xff\xff\xff\xffgetinfo"))


def sadp(data, length):
    return b"<Probe>" in data and b"inquiry" in data


def dahua(data, length):
    return data[0] != 0


# Destination port: the test, and the bytes that the payload has at least.
REQUESTS = {17: (always, 0), 19: (always, 0), 53: (dns, 17), 69: (tftp, 4), 111: (rpc, 40), 123: (ntp, 4), 137: (netbios, 50),
            161: (snmp, 20), 177: (xdmcp, 6), 389: (cldap, 7), 427: (slp, 14), 443: (dtls, 26), 4433: (dtls, 26), 520: (rip, 24),
            1194: (openvpn, 14), 1434: (mssql, 1), 1900: (search, 20), 3283: (arms, 4), 3702: (ws_discovery, 4),
            5353: (question, 17), 5683: (coap, 20), 10001: (ubiquiti, 4), 11211: (memcached, 13),
            **dict.fromkeys(range(27005, 27051), (source_engine, 9)), **dict.fromkeys(range(27960, 27964), (quake, 10)),
            **dict.fromkeys((32410, 32412, 32413, 32414), (search, 20)), 37020: (sadp, 20), 37810: (dahua, 1)}


def is_request(port, data, length):
    """Whether a payload to this port asks a reflector; that it is an answer or stray is looked for before."""
    test, least = REQUESTS.get(port, (None, 0))
    return test is not None and length >= least and forms.holds(test, data, length)
